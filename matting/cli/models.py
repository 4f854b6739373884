"""``matteo models``: what models there are, getting them, bringing them in by hand, and seeing that they are whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from matting import weights
from matting.cli.progress import progress, say
from matting.cli.tables import print_table
from matting.errors import CheckpointError
from matting.weights import Model
from matting.weights.folder import record_of
from matting.weights.incoming import State, addresses, state_of, verify
from matting.weights.sizes import in_bytes

models = typer.Typer(
    help="Learned models: what there is, under which licence, and how it comes here.", rich_markup_mode=None
)
ModelArgument = Annotated[str, typer.Argument(metavar="ID", help="As `matteo models list` calls it.")]
_COLORS = {"yes": "green", "no": "red", "unstated": "yellow"}


@models.callback(invoke_without_command=True)
def _without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_models()


@models.command("list")
def list_models() -> None:
    """Say which models there are, what each is for, its licence, and which are installed."""
    table = Table("model", "what for", "licence", "commercial use", "size", "here")
    for known in weights.models():
        table.add_row(
            known.id,
            f"{known.title}. {known.purpose}",
            known.licence,
            Text(known.commercial, _COLORS[known.commercial]),
            "?" if known.size is None else in_bytes(known.size),
            _here(state_of(known)),
        )
    print_table(table)
    say("Commercial use, as far as the makers say: matteo models licence ID tells more. Only lite comes with Matteo.")


@models.command()
def licence(model_id: ModelArgument) -> None:
    """Say under which terms a model stands, who made it, and where it comes from."""
    for line in _about(weights.model(model_id)):
        say(line)


@models.command("get")
def get_command(model_id: ModelArgument) -> None:
    """Fetch a model, going on from what an earlier try brought."""
    from matting.pipeline.models import get_model

    known = weights.model(model_id)
    _tell_terms(known)
    with progress() as ctx:
        path = get_model(model_id, ctx)
    _tell_installed(known, path)


@models.command("import")
def import_command(
    model_id: ModelArgument, file: Annotated[Path, typer.Argument(metavar="FILE", help="The model's public file.")]
) -> None:
    """Bring in a model's file that you have; it is checked and copied."""
    from matting.pipeline.models import import_model

    known = weights.model(model_id)
    _tell_terms(known)
    with progress() as ctx:
        path = import_model(model_id, file, ctx)
    _tell_installed(known, path)


@models.command("verify")
def verify_command() -> None:
    """Read every installed model again and say what is damaged."""
    with progress() as ctx:
        findings = verify(ctx)
    for finding in findings:
        say(f"{finding.model.id}: {finding.damage or 'whole'}  {finding.path}")
    damaged = [finding.model.id for finding in findings if finding.damage is not None]
    if damaged:
        raise CheckpointError(f"Damaged: {', '.join(damaged)}; get or import them again.")
    if not findings:
        say(f"no models are installed in {weights.folder()}")


@models.command()
def where() -> None:
    """Print the folder that models lie in."""
    say(str(weights.folder()))


def _here(state: State) -> str:
    if state.damaged:
        return "damaged"
    if state.path is not None:
        return f"{'comes with Matteo' if state.shipped else 'installed'}, {in_bytes(state.size)}"
    if state.size:
        return f"{in_bytes(state.size)} came; get goes on"
    return "by hand only" if state.by_hand else ""


def _about(known: Model) -> list[str]:
    return [
        f"{known.title}: {known.purpose}",
        f"licence   {known.licence}; {known.commercial_mark}",
        f"          {known.terms}",
        f"made by   {known.origin}; {known.paper}",
        *([f"project   {known.home}"] if known.home else []),
        *(f"file      {address}" for address in addresses(known)),
        *([f"file      {known.by_hand}"] if known.by_hand else []),
    ]


def _tell_terms(known: Model) -> None:
    """What somebody must know before the file is here; said, never asked."""
    if known.commercial != "yes":
        say(f"{known.in_short}. {known.terms}")


def _tell_installed(known: Model, path: Path) -> None:
    record = record_of(known)
    assert record is not None
    say(f"{known.id}: {path}")
    if "sha256" not in known.digests or len(known.digests["sha256"]) < len(record.sha256):
        say(f"Its makers publish no whole SHA-256; this file's is noted and later ones are held to it: {record.sha256}")
