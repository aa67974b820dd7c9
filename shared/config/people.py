"""Access, channels, people and rosters: who may do what, and how whom is reached."""

import ipaddress
from email.utils import parseaddr

import msgspec

from shared.config.assembly import Assembly, Item
from shared.config.schema.people import AccessModel, RosterModel
from shared.model.configuration import Access
from shared.model.facility import Territory
from shared.model.people import Budget, Channel, Contact, Override, Person, Roster, Rotation

Territories = dict[str, Territory]


def access(a: Assembly, territories: Territories) -> tuple[Access, ...]:
    """Who may do what, in the order of the files."""
    built = []
    tokens: dict[str, str] = {}
    for code, item in a.unique("access", a.items("access")).items():
        model: AccessModel = item.model
        if model.kind == "upstream" and not model.facilities:
            text = "an upstream needs facilities: a list of ids or patterns; add it"
            a.fail(item, text, "facilities")
        if model.kind == "officer" and model.territory is None:
            a.fail(item, "an officer needs a territory; add it", "territory")
        if model.territory is not None:
            a.known(item, "territory", model.territory, territories, "territory")
        if tokens.setdefault(model.token, code) != code:
            text = f"the token is that of {tokens[model.token]!r} too; make another"
            a.fail(item, text, "token")
        patterns = tuple(model.facilities or ())
        built.append(Access(code, model.kind, model.token, patterns, model.territory))
    return tuple(built)


def channels(a: Assembly) -> dict[str, Channel]:
    """Every way out by id."""
    built = {}
    for code, item in a.unique("channel", a.items("channels")).items():
        fields = item.model.model_dump(exclude={"budget", "timeout", "from_"})
        for place, address in enumerate(fields.get("callbacks_from", ())):
            if not _is_network(address):
                text = f"callbacks_from: {address!r} is no IP address; give one such as 127.0.0.1"
                a.fail(item, text, "callbacks_from", place)
        fields["timeout_us"] = getattr(item.model, "timeout", 5_000_000)
        fields["mail_from"] = getattr(item.model, "from_", "")
        if item.model.kind == "smtp" and "@" not in parseaddr(fields["mail_from"])[1]:
            a.fail(item, 'from holds no mail address; give "预警 <name@example.org>"', "from")
        fields["budget"] = _budget(a, item)
        built[code] = msgspec.convert(fields, Channel)
    return built


def _budget(a: Assembly, item: Item) -> Budget | None:
    budget = item.model.budget
    if budget is None:
        return None
    if sum(budget.reserve.values()) > budget.per_day:
        text = "the reserves together are more than per_day; low severities get nothing"
        a.warn(item, text, "budget", "reserve")
    return Budget(budget.per_day, dict(budget.reserve))


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def people(a: Assembly, territories: Territories, ways: dict[str, Channel]) -> dict[str, Person]:
    """Every person by id, with contacts in the order in which they are tried."""
    built = {}
    for code, item in a.unique("person", a.items("people")).items():
        a.known(item, "territory", item.model.territory, territories, "territory")
        seen = set()
        for place, contact in enumerate(item.model.contacts):
            a.known(item, "channel", contact.channel, ways, "contacts", place, "channel")
            if contact.id in seen:
                text = f"contact {contact.id!r} stands twice; give another id"
                a.fail(item, text, "contacts", place, "id")
            seen.add(contact.id)
        contacts = tuple(Contact(c.id, c.channel, c.address) for c in item.model.contacts)
        model = item.model
        built[code] = Person(code, model.name, model.title, model.territory, contacts)
    return built


def rosters(a: Assembly, territories: Territories, among: dict[str, Person]) -> dict[str, Roster]:
    """Every roster by its territory, which has at most one."""
    built: dict[str, Roster] = {}
    for code, item in a.unique("roster", a.items("rosters")).items():
        model: RosterModel = item.model
        a.known(item, "territory", model.territory, territories, "territory")
        if model.territory in built:
            other = built[model.territory].id
            text = f"territory {model.territory} has the roster {other!r} already; join them"
            a.fail(item, text, "territory")
        rotations, fixed = {}, {}
        for role, held in model.roles.items():
            keys: tuple[str, ...] = ("roles", role, "people")
            names = tuple(held.people or ())
            if held.rotation is None:
                fixed[role] = names
            else:
                r, keys = held.rotation, ("roles", role, "rotation", "people")
                names = tuple(r.people)
                rotations[role] = Rotation(names, r.every, r.handover, r.first)
            for place, name in enumerate(names):
                a.known(item, "person", name, among, *keys, place)
        overrides = _overrides(a, item, among)
        built[model.territory] = Roster(code, model.territory, rotations, fixed, overrides)
    return built


def _overrides(a: Assembly, item: Item, among: dict[str, Person]) -> tuple[Override, ...]:
    built = []
    for place, override in enumerate(item.model.overrides):
        keys = ("overrides", place)
        a.known(item, "person", override.person, among, *keys, "person")
        begin = a.moment(item, override.from_, *keys, "from")
        end = a.moment(item, override.to, *keys, "to")
        if begin is None or end is None:
            continue
        if end <= begin:
            a.fail(item, "an override ends before it begins; swap from and to", *keys, "to")
        built.append(Override(override.role, override.person, begin, end))
    return tuple(built)
