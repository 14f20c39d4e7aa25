"""`Site`, what the front doors work with, and the one place where each of its objects is constructed, once."""

from __future__ import annotations

import logging
import os
import pwd
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .apps.catalogue import Catalogue
from .config import QConnect
from .errors import BadRequest
from .schedulers import Scheduler
from .schedulers.commands import Commands, Told
from .schedulers.detect import Flavour, detect
from .schedulers.request_form import USUAL, RequestForm, request_form
from .sessions.audit import Audit
from .sessions.audit_file import AuditFile
from .sessions.limits import Limits
from .sessions.manager import SessionManager
from .sessions.store import Store
from .transports import Transport
from .transports.local import LocalTransport
from .transports.login_questions import Asker, Questions
from .transports.tls import TlsTransport
from .values.app import App
from .values.job import JobSpec
from .values.session import Record

if TYPE_CHECKING:  # the browser's front door, or ssh, alone needs these (tests/test_cli_start.py)
    from .clients.xpra import Clients
    from .http.fronts import Fronts
    from .proxy.failures import Troubles
    from .proxy.places import Places
    from .proxy.tickets import Tickets
    from .sessions.forms import Forms
    from .transports.ssh.options import SshSettings


LONGEST_LINE = 240
"""Characters of a command in the log."""


@dataclass(frozen=True)
class Site:
    """What the front doors work with."""

    settings: QConnect
    sessions: SessionManager
    flavour: Flavour
    apps: Catalogue
    forms: Forms
    clients: Clients
    tickets: Tickets
    places: Places
    troubles: Troubles
    fronts: Fronts
    questions: Questions
    audit: Audit
    hosts: frozenset[str]
    """The names that requests may come by, lower case; empty: those that Jupyter allows."""


def build(settings: QConnect) -> Site:
    """Constructs every object; the front doors only use them."""
    from .apps.saved import SavedLaunches
    from .clients.xpra import Clients
    from .http.fronts import Fronts
    from .proxy.failures import Troubles
    from .proxy.places import Places
    from .proxy.relay_client import Relay
    from .proxy.tickets import Tickets
    from .sessions.forms import Forms

    flavour, questions, audit = flavour_of(settings), Questions(), audit_of(settings)
    sessions = build_sessions(settings, flavour, questions, partial(_count, settings.log))
    sessions.apps.apps()  # read now: the first request need not wait for it
    _measure(sessions, audit)
    clients = Clients([Path(folder) for folder in settings.client_dirs])
    relay, most, per_minute = Relay(settings.log), settings.max_websockets, settings.max_websockets_per_minute
    return Site(
        settings=settings,
        sessions=sessions,
        flavour=flavour,
        apps=sessions.apps,
        forms=Forms(
            apps=sessions.apps,
            queues=sessions.queues,
            scheduler=sessions.scheduler,
            saved=SavedLaunches(Path.home() / ".config/qconnect/launch"),
        ),
        clients=clients,
        tickets=Tickets(),
        places=Places(settings.log, relay, most=most, per_minute=per_minute),
        troubles=Troubles(),
        fronts=Fronts(settings.log),
        questions=questions,
        audit=audit,
        hosts=frozenset(host.lower() for host in settings.allowed_hosts),
    )


def _count(log: logging.Logger, argv: Sequence[str], outcome: str, seconds: float) -> None:
    """Each command of the batch system is counted, and told to whoever looks for a fault."""
    from .sessions import metrics

    metrics.command(Path(argv[0]).name, outcome, seconds)
    log.debug("qconnect: %s: %s after %.2f s", " ".join(argv)[:LONGEST_LINE], outcome, seconds)


def _measure(sessions: SessionManager, audit: Audit) -> None:
    """Has the sessions' journeys counted."""
    from .sessions.metrics import Journeys

    journeys = Journeys(lambda: {app.name for app in sessions.apps.apps()})
    sessions.on_change(journeys.seen)
    audit.listeners.append(journeys.noted)


def build_sessions(
    settings: QConnect,
    flavour: Flavour | None = None,
    asker: Asker | None = None,
    told: Told = lambda argv, outcome, seconds: None,
) -> SessionManager:
    """The core alone, which is all that the command line needs.

    `asker` answers what a login to a node asks; each of the batch system's commands is `told`.
    """
    sessions_dir = settings.sessions_folder
    commands = Commands(told)
    scheduler = _scheduler(settings, (flavour or flavour_of(settings)).name, sessions_dir, commands)
    transport = _transport(settings, asker)
    form = _request_form(settings, scheduler)
    return SessionManager(
        scheduler=scheduler,
        transport=transport,
        store=Store(sessions_dir),
        apps=Catalogue(_app_folders(settings), settings.form),
        render=partial(_render, settings, sessions_dir, transport.bind, form),
        limits=Limits(
            live=settings.max_sessions,
            starts_per_minute=settings.max_starts_per_minute,
            keep_ended_days=settings.keep_ended_days,
            questions_per_minute=settings.max_questions_per_minute,
        ),
        log=settings.log,
    )


def audit_of(settings: QConnect) -> Audit:
    """Where deeds are noted."""
    path = settings.audit_path
    return Audit(settings.log, AuditFile(path, settings.log) if path else None)


CLIENT = (
    "import sys; sys.path[:] = [*filter(None, sys.path), sys.argv.pop(1)]; "
    "from qconnect_web.cli import main; sys.exit(main())"
)
"""The command `qconnect` of an installation in any place; nothing comes from the folder that one stands in."""


def _render(settings: QConnect, sessions_dir: Path, bind: str, form: RequestForm, app: App, record: Record) -> str:
    from .job_script import render

    spec = replace(record.spec, native=(*settings.native_options, *record.spec.native))
    return render(
        app,
        replace(record, spec=spec),
        sessions_dir=sessions_dir,
        bind=bind,
        form=form,
        port_base=settings.port_base,
        port_range=settings.port_range,
        node_setup=settings.node_setup,
        client=(sys.executable, "-c", CLIENT, str(Path(__file__).parents[1])),
        folder=sessions_dir / record.key,
    )


def _request_form(settings: QConnect, scheduler: Scheduler) -> RequestForm:
    """How this site wants to be asked; raises BadRequest, naming the setting, for what no job could be asked with."""
    form = request_form(
        scheduler.dialect,
        USUAL[scheduler.name] if settings.request_form == "auto" else settings.request_form,
        cores=settings.request_cores,
        memory=settings.request_memory,
        gpus=settings.request_gpus,
        gpu_type=settings.request_gpu_type,
        account_as=settings.request_account_as,
        account=settings.account,
        qos=settings.qos,
    )
    if settings.native_options:
        _check_options(settings.native_options, form)
    return form


def _check_options(native: Sequence[str], form: RequestForm) -> None:
    """Raises BadRequest for options that name a line which this batch system's scripts do not have."""
    from .job_script import directives

    try:
        directives(JobSpec("probe", native=tuple(native)), form)
    except BadRequest as error:
        raise BadRequest(f"QConnect.native_options: {error.message}") from None


def _app_folders(settings: QConnect) -> list[Path]:
    folders = [Path(folder).expanduser() for folder in settings.apps_dirs]
    for folder in folders:
        if not folder.is_dir():
            settings.log.warning(f"There is no folder {folder} for app files. Make it, or correct QConnect.apps_dirs.")
    return [*folders, Path.home() / ".config/qconnect/apps"] if settings.user_apps else folders


def flavour_of(settings: QConnect) -> Flavour:
    """The batch system, as the site chose it or as this machine's commands tell."""
    flavour = detect() if settings.scheduler == "auto" else Flavour(settings.scheduler, "The site's settings say so.")
    settings.log.info(f"QConnect's batch system is {flavour.name}. {flavour.why}")
    return flavour


def _scheduler(settings: QConnect, name: str, sessions_dir: Path, commands: Commands) -> Scheduler:
    """The scheduler of that name; the others' words are not even read."""
    if name == "local":
        from .schedulers.local.scheduler import LocalScheduler

        return LocalScheduler(sessions_dir.parent / "local", max_running=settings.local_max_running)
    user = pwd.getpwuid(os.getuid()).pw_name
    if name == "slurm":
        from .schedulers.slurm.scheduler import SlurmScheduler

        return SlurmScheduler(commands, user=user)
    if name == "openpbs":
        from .schedulers.pbs.openpbs import OpenPbsScheduler

        return OpenPbsScheduler(commands, user=user)
    from .schedulers.pbs.torque import TorqueScheduler

    return TorqueScheduler(commands, user=user)


def _transport(settings: QConnect, asker: Asker | None) -> Transport:
    """The transport that the site chose; what ssh needs is loaded only where it is used."""
    if settings.transport == "local":
        return LocalTransport()
    tls = TlsTransport()
    if settings.transport == "tls":
        return tls
    from .transports.auto import AutoTransport
    from .transports.ssh.masters import Masters
    from .transports.ssh.transport import SshTransport

    ssh = SshTransport(Masters(ssh_settings(settings), asker, settings.log), TlsTransport())
    return ssh if settings.transport == "ssh" else AutoTransport(tls, ssh)


def ssh_settings(settings: QConnect) -> SshSettings:
    """What the site says of ssh."""
    from .transports.ssh.options import SshSettings

    return SshSettings(
        command=settings.ssh_command,
        config=Path(settings.ssh_config).expanduser() if settings.ssh_config else None,
        options=tuple(settings.ssh_options),
        ask_unknown_hosts=settings.ssh_unknown_hosts == "ask",
        idle_s=settings.ssh_idle_minutes * 60,
    )
