from tests.scenario.desk_fixtures import desks, house, houses

__all__ = ["desks", "house", "houses"]
