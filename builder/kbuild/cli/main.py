"""The `kbuild` command: its verbs, and how a mistake ends it."""

import errno
import functools
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer

from kbuild.cli import (
    board,
    check,
    compare,
    data,
    diff,
    ensemble,
    export,
    fit,
    layers,
    lr,
    new,
    rules,
    run,
    schema,
    shipped,
    show,
    tune,
)
from kbuild.text.problem import SpecError
from kbuild.version import __version__

app = typer.Typer(
    name="kbuild",
    help="Neural networks from a spec: data, network and training in one YAML file, built with Keras.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def main(args: list[str] | None = None) -> None:
    """Run the command and leave with its exit code: 0 fine, 1 spec, 2 usage, 3 data, 4 training, 5 run, 70 a bug."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character shows `?`
    app(args, prog_name="kbuild")


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and leave.", is_eager=True, callback=lambda on: _version(on)),
    ] = False,
) -> None:
    """Neural networks from a spec: data, network and training in one YAML file, built with Keras."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kbuild {__version__}")
        raise typer.Exit


_REFUSALS = {errno.EACCES, errno.EDQUOT, errno.EISDIR, errno.ENOSPC, errno.ENOTDIR, errno.EPERM, errno.EROFS}


def _guarded(verb: Callable[..., int | None]) -> Callable[..., None]:
    """The verb, its mistakes shown as the user asked for, and its result as exit code."""

    @functools.wraps(verb)
    def guarded(**options: object) -> None:
        try:
            with _terminable():
                code = verb(**options) or 0
        except SpecError as error:
            code = _mistake(error, options)
        except KeyboardInterrupt as error:
            terminated = isinstance(error, _Terminated)
            print(f"stopped by {'SIGTERM' if terminated else 'Ctrl-C'}", file=sys.stderr)
            code = 143 if terminated else 130
        except BrokenPipeError:
            # whoever read has seen enough; Python would complain once more when it flushes
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            code = 141
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception as error:
            code = _refused(error, options) if isinstance(error, OSError) and error.errno in _REFUSALS else _bug(error)
        raise typer.Exit(code)

    return guarded


class _Terminated(KeyboardInterrupt):
    """SIGTERM, where nothing waits for it but the end."""


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends the verb as Ctrl-C does: what is half done is undone. Training has handlers of its own."""

    def end(*_: object) -> NoReturn:
        raise _Terminated

    def dropped(found: "sys.UnraisableHookArgs") -> None:
        if not isinstance(found.exc_value, KeyboardInterrupt):
            return told(found)
        # it came while Python collected garbage, where no exception gets out: once more
        number = signal.SIGTERM if isinstance(found.exc_value, _Terminated) else signal.SIGINT
        again = threading.Timer(0.05, signal.raise_signal, [number])
        again.daemon = True
        return again.start()

    main = threading.current_thread() is threading.main_thread()
    free = main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    told = sys.unraisablehook
    if free:
        signal.signal(signal.SIGTERM, end)
        sys.unraisablehook = dropped
    try:
        yield
    finally:
        if free:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            sys.unraisablehook = told


def _mistake(error: SpecError, options: dict[str, object]) -> int:
    from kbuild.cli.output import say_json, tell

    if options.get("as_json"):
        from kbuild.text.render import as_json

        say_json({"ok": False, "problems": as_json(error.problems)})
    else:
        tell(error.problems)
    if options.get("debug"):
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    return error.exit_code


def _refused(error: OSError, options: dict[str, object]) -> int:
    from kbuild.text.problem import Problem

    where = f" `{error.filename}`" if error.filename is not None else ""
    help = "make room, or choose another place"
    # without a name it is standard output that failed, and JSON could not be written either
    shown = options if where else {}
    return _mistake(SpecError(Problem("K020", f"the system refuses{where}: {error.strerror}", help=help)), shown)


def _bug(error: Exception) -> int:
    import traceback

    traceback.print_exception(error, file=sys.stderr)
    print(
        f"\nThis is a bug in kbuild {__version__}, not a mistake of yours. Please report it with the lines above.",
        file=sys.stderr,
    )
    return 70


_VERBS = (check.check, show.show, data.data, diff.diff, shipped.ls, shipped.cp, new.new, layers.layers)
_VERBS += (schema.schema, rules.rules, fit.fit, lr.lr, tune.tune, run.evaluate, run.predict)
_VERBS += (export.export, compare.compare, ensemble.ensemble, board.board)
for _verb in _VERBS:
    app.command(_verb.__name__)(_guarded(_verb))
