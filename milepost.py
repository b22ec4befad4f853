"""The command line: each command hands its options to one function of `commands`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import redis
import typer
from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException
from rich.console import Console

from commands import doctor as doctor_command
from commands import fleet, visits_options
from commands import kafka as kafka_command
from commands import push as push_command
from commands import rejected as rejected_command
from commands import token as token_command
from commands import topics as topics_command
from commands.options import with_settings
from commands.process import CannotStart
from commands.replay import ReplayError
from commands.topics import BrokerAway
from commands.visits import FencesError
from geo.sources import BadSource
from stream.config import ConfigError, Settings
from ws_server.protocol import Role

# What the user can mend: one sentence, no traceback. Anything else is a bug and shows where.
MENDABLE = (
    *(ConfigError, CannotStart, BrokerAway, rejected_command.NoSuchTopic),
    *(ReplayError, FencesError, BadSource),
)

app = typer.Typer(
    help="Milestones, status and alerts from vehicle pings and order events on Kafka.",
    epilog="Each setting is an environment variable too: --topic-prefix is MILEPOST_TOPIC_PREFIX.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
topics_app = typer.Typer(help="Create, check and list the topics.", no_args_is_help=True)
app.add_typer(topics_app, name="topics")
for command in (fleet.demo, fleet.simulate, fleet.replay, fleet.watch, visits_options.visits):
    app.command()(command)
console = Console()


@app.command()
def kafka(
    directory: Annotated[
        Path | None, typer.Option("--dir", help="keep the broker's files here")
    ] = None,
    port: Annotated[int, typer.Option(help="0 takes a free one")] = 9092,
) -> None:
    """Run one real Apache Kafka node on this machine until Ctrl-C (needs Java and Maven)."""
    kafka_command.kafka(directory, port, typer.echo)


@topics_app.command()
@with_settings("brokers", "topic_prefix", "partitions")
def create(
    settings: Settings,
    replication: Annotated[int, typer.Option(help="copies of each partition")] = 1,
    alter: Annotated[
        bool, typer.Option("--alter", help="mend the settings of existing topics")
    ] = False,
) -> None:
    """Create the topics that are missing; safe to repeat."""
    for name in topics_command.create(settings, replication=replication, alter=alter):
        typer.echo(f"created {name}")


@topics_app.command()
@with_settings("brokers", "topic_prefix", "partitions")
def check(settings: Settings) -> None:
    """Say what is wrong with the topics and how to mend it; exit code 1 if anything is."""
    problems = topics_command.check(settings)
    for problem in problems:
        typer.echo(f"{problem.what}: {problem.mend}")
    raise typer.Exit(1 if problems else 0)


@topics_app.command("list")
@with_settings("topic_prefix", "partitions")
def list_topics(settings: Settings) -> None:
    """Show what each topic is for and how it is kept."""
    console.print(topics_command.table(settings))


@app.command()
@with_settings(
    *("brokers", "redis", "app", "topic_prefix", "partitions"),
    *("clock", "http", "session_timeout_s", "source", "sources"),
)
def worker(
    settings: Settings,
    role: Annotated[str, typer.Option(help="vehicles, orders, alerts or all")] = "all",
) -> None:
    """Process pings, orders and alerts until Ctrl-C; start more for more partitions at once."""
    from commands import worker as worker_command  # Faust takes a second to import

    worker_command.run(settings, role)


@app.command()
@with_settings("redis", "partitions", "push", "origins", "max_clients")
def push(settings: Settings) -> None:
    """Serve the live map, the order pages and the websocket until Ctrl-C.

    MILEPOST_TOKEN_SECRET signs the tokens; start as many as you like with the same one.
    """
    push_command.run(settings)


@app.command()
@with_settings("push")
def token(
    settings: Settings,
    order: Annotated[
        list[str] | None, typer.Option(help="a customer's, for this order; may be repeated")
    ] = None,
    dispatcher: Annotated[bool, typer.Option("--dispatcher", help="one that sees all")] = False,
    hours: Annotated[float, typer.Option(min=0.001, help="how long it is good for")] = 12.0,
    link: Annotated[bool, typer.Option("--link", help="print the page's address with it")] = False,
) -> None:
    """Make a token for the pages and the websocket, signed with MILEPOST_TOKEN_SECRET."""
    if bool(order) is dispatcher:
        raise ConfigError("a token is for --order ID (a customer's) or --dispatcher: name one")
    made = token_command.token(settings, tuple(order or ()), hours)
    role = Role.DISPATCHER if dispatcher else Role.CUSTOMER
    typer.echo(token_command.link(settings, made, role) if link else made)


@app.command()
@with_settings("brokers", "topic_prefix")
def rejected(
    settings: Settings,
    limit: Annotated[int, typer.Option(help="show so many of the newest")] = 20,
    reason: Annotated[str | None, typer.Option(help="only those with this reason")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """Count and show the records that could not be taken."""
    rejected_command.rejected(settings, limit=limit, reason=reason, as_json=as_json)


@app.command()
@with_settings("brokers", "redis", "topic_prefix", "partitions")
def doctor(settings: Settings) -> None:
    """Check broker, topics, codecs, Redis, versions and clocks; exit code 1 if anything is bad."""
    raise typer.Exit(0 if doctor_command.doctor(settings, console) else 1)


def main() -> None:
    """Run the command line; what the user can mend becomes one sentence and exit code 2."""
    try:
        app()
    except MENDABLE as problem:
        _fail(str(problem))
    except (KafkaError, KafkaException) as problem:
        _fail(f"Kafka refused or was lost ({problem}); `milepost doctor` looks further")
    except redis.RedisError as problem:
        _fail(f"Redis refused or was lost ({problem}); `milepost doctor` looks further")


def _fail(sentence: str) -> None:
    typer.echo(f"milepost: {sentence}", err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
