"""Groups: the program and the groups of its commands."""

import typer

app = typer.Typer(
    name="yujing",
    help="预警: from a reading's bytes to an official's acknowledgement.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

audit = typer.Typer(help="Check and print the ledger of who was told what.", no_args_is_help=True)

topics = typer.Typer(help="Kafka topics: make them, compare them.", no_args_is_help=True)

rules_group = typer.Typer(invoke_without_command=True, no_args_is_help=False)

dead_letters = typer.Typer(help="What was refused, why, and again.", no_args_is_help=True)

app.add_typer(audit, name="audit")

app.add_typer(dead_letters, name="dead-letters")

app.add_typer(topics, name="topics")

app.add_typer(rules_group, name="rules")

campaigns = typer.Typer(
    help="Dated regimes: which run, and what they made different.", no_args_is_help=True
)

app.add_typer(campaigns, name="campaigns")

silences = typer.Typer(
    help="What nobody is told of for a while: see, plan, end.", no_args_is_help=True
)

app.add_typer(silences, name="silences")
