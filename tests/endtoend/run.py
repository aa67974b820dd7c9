"""One seed: a few hours of a small site, with every kind of trouble, then rest and a reckoning."""

from tests.endtoend import desk, promises
from tests.endtoend.gateway import Crash
from tests.endtoend.world import MINUTE, SECOND, World, remove, temporary

STEPS = 25


def run(seed: int) -> World:
    """Play one seed and check every promise.

    Raises:
        promises.Broken: says which; the seed is the caller's to print.

    """
    folder = temporary()
    try:
        world = World(seed, folder)
        play(world)
        rest(world)
        promises.check(world)
        return world
    finally:
        remove(folder)


def play(world: World) -> None:
    random = world.random
    for _ in range(STEPS):
        what = random.random()
        facility = random.choice(list(world.configuration.facilities))
        if what < 0.55:
            flag = random.choice("NNNNNNSTDB")
            world.report(facility, random.choice([10.0, 45.0, 55.0, 65.0, 85.0, 120.0]), flag)
        elif what < 0.6:
            world.again()
        elif what < 0.65:
            world.report(facility, 70.0, "N", random.choice([-30, 3, 90]))
        elif what < 0.8:
            somebody_answers(world)
        elif what < 0.85:
            world.pass_time(random.choice([20, 60, 600]) * SECOND, listening=False)
        elif what < 0.88:
            world.clock.step(random.choice([-3600, -5, 5, 3600]) * SECOND)
        elif what < 0.92:
            world.crash()
        world.settle()
        world.pass_time(random.choice([5, 30, 60, 60, 180]) * SECOND)


def somebody_answers(world: World) -> None:
    """A page or a phone; the process may end while it is being written down."""
    try:
        if world.random.random() < 0.6:
            desk.somebody_acknowledges(world)
        else:
            desk.somebody_replies(world)
    except Crash:
        world.crash()


def rest(world: World) -> None:
    """Nothing fails any more; time for every ladder to reach its top."""
    world.calm()
    world.crash()
    world.settle()
    for _ in range(40):
        world.pass_time(MINUTE)
    world.settle()
