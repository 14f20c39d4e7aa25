"""The site's settings, and `build`: the one place where every object is constructed, once."""

from __future__ import annotations

import os
import pwd
import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import Bool, Enum, Float, Int, List, TraitError, Unicode, validate
from traitlets.config import Config, LoggingConfigurable

from .apps.catalogue import Catalogue
from .errors import BadRequest
from .schedulers import Scheduler
from .schedulers.commands import Commands
from .schedulers.detect import Flavour, detect
from .sessions.limits import Limits
from .sessions.manager import SessionManager
from .sessions.store import Store
from .transports import Transport
from .transports.local import LocalTransport
from .transports.login_questions import Asker, Questions
from .transports.tls import TlsTransport
from .values.app import App
from .values.session import Record

if TYPE_CHECKING:  # the browser's front door alone needs these (tests/test_cli_start.py)
    from .clients.xpra import Clients
    from .proxy.failures import Troubles
    from .proxy.tickets import Tickets
    from .proxy.websockets import Splices


def site_config() -> Config:
    """The configuration that a Jupyter server would read (`jupyter_server_config.py`, `.json`), for the terminal."""
    from jupyter_core.application import JupyterApp

    app = JupyterApp(config_file_name="jupyter_server_config")
    app.load_config_file()
    return app.config


@dataclass(frozen=True)
class Site:
    """What the front doors work with."""

    settings: QConnect
    sessions: SessionManager
    flavour: Flavour
    apps: Catalogue
    clients: Clients
    tickets: Tickets
    splices: Splices
    troubles: Troubles
    questions: Questions
    hosts: frozenset[str] = frozenset()
    """The names that requests may come by, lower case; empty: those that Jupyter allows."""


class QConnect(LoggingConfigurable):
    """GUI programs as batch jobs, in browser tabs."""

    scheduler = Enum(
        ["auto", "torque", "openpbs", "slurm", "local"],
        "auto",
        help="The batch system that runs the jobs. `auto` asks the commands on the server's PATH which one they are "
        "(`qstat --version`, `sbatch --version`), and says so in the log and in `GET /qconnect/api/queues`. `local` "
        "runs jobs as detached processes on this machine.",
    ).tag(config=True)
    native_options = List(
        Unicode(),
        help="Options of the batch system for every job, as in a directive: `-l feature=viz`, `-r n`, `--qos=gui`. "
        "An app file's own options (`resources: native`) come after them.",
    ).tag(config=True)
    transport = Enum(
        ["tls", "ssh", "auto", "local"],
        "tls",
        help="How a session's display is reached. `tls`: a port on the node, behind mutual TLS with both "
        "certificates pinned. `ssh`: a unix socket on the node, through one OpenSSH connection per node; no port at "
        "all. `auto`: `tls`, and where the network shuts the port, the same TLS through ssh. `local`: a unix socket, "
        "when jobs run on this very machine.",
    ).tag(config=True)
    ssh_command = Unicode("ssh", help="OpenSSH's client: a name on PATH, or a path.").tag(config=True)
    ssh_config = Unicode(
        "", help="A configuration file of the site for ssh, in place of ssh's own (the user's and the system's)."
    ).tag(config=True)
    ssh_options = List(
        Unicode(),
        help="More options for ssh, as in `ssh -o`: `Name=value`. Those that keep it safe cannot be changed here.",
    ).tag(config=True)
    ssh_unknown_hosts = Enum(
        ["refuse", "ask"],
        "refuse",
        help="What to do about a node whose host key is not known on this machine. `refuse`: the site keeps the known "
        "hosts. `ask`: the user is shown the fingerprint. A key that has changed is refused in any case.",
    ).tag(config=True)
    ssh_idle_minutes = Float(
        10, min=0.01, help="After how many minutes an ssh connection that nothing goes through is closed."
    ).tag(config=True)
    sessions_dir = Unicode(
        "~/.local/share/qconnect/sessions",
        help="The folder of the session folders; login and compute nodes must both see it.",
    ).tag(config=True)
    apps_dirs = List(
        Unicode(),
        help="Folders with the site's app files (*.yaml), merged over the shipped ones; the user's own "
        "(~/.config/qconnect/apps) come last.",
    ).tag(config=True)
    user_apps = Bool(True, help="Whether users may add app files of their own in ~/.config/qconnect/apps.").tag(
        config=True
    )
    client_dirs = List(
        Unicode(),
        default_value=["/usr/share/xpra/www"],
        help="Folders with xpra's HTML5 client on this machine; a session of another xpra version brings its own.",
    ).tag(config=True)
    port_base = Int(
        20000, min=1024, max=64000, help="The first port of sessions; outside the kernel's ephemeral range (32768 on)."
    ).tag(config=True)
    port_range = Int(
        10000,
        min=1,
        max=60000,
        help="How many ports sessions may use: the first guess is port_base + job id modulo this.",
    ).tag(config=True)
    local_max_running = Int(
        4, min=1, help="How many jobs the `local` scheduler runs at a time; others wait in its queue."
    ).tag(config=True)
    max_sessions = Int(20, min=0, help="How many live sessions one user may have; 0: no limit.").tag(config=True)
    max_starts_per_minute = Int(
        30, min=0, help="How many sessions one user may start within a minute; 0: no limit."
    ).tag(config=True)
    max_websockets = Int(
        16, min=0, help="How many websockets one session's display may have at a time; 0: no limit."
    ).tag(config=True)
    max_websockets_per_minute = Int(
        240, min=0, help="How often one session's display may be asked for within a minute; 0: no limit."
    ).tag(config=True)
    allowed_hosts = List(
        Unicode(),
        help="The host names, without port, by which browsers may reach this package's pages; empty: those that "
        "Jupyter allows, which are all of them unless the server listens on the loopback address alone. Under "
        "JupyterHub: the hub's public name. Keeps out web pages whose own name was made to point to the server.",
    ).tag(config=True)
    max_questions_per_minute = Int(
        5,
        min=1,
        help="How often a minute, on average over an hour, a batch system is asked about a user's jobs by all of their "
        "servers and terminals; 2.4 times as often while things happen. More shows the end of many sessions sooner.",
    ).tag(config=True)
    keep_ended_days = Float(
        7, min=0, help="For how many days an ended session and its logs stay in the list before they are removed."
    ).tag(config=True)

    @validate("native_options")
    def _native_options(self, proposal: Any) -> list[str]:
        """Refuses, at the start, what no job could be submitted with."""
        if not proposal.value:
            return []
        from .job_script import option
        from .schedulers.pbs.common import check_native

        try:
            check_native(proposal.value)
            return [str(option(value)) for value in proposal.value]
        except BadRequest as error:
            raise TraitError(f"QConnect.native_options: {error.message}") from None

    @validate("ssh_options")
    def _ssh_options(self, proposal: Any) -> list[str]:
        """Refuses, at the start, what ssh could not be told."""
        for option in proposal.value:
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*=[^\x00-\x1f\x7f]+", option):
                raise TraitError(f"QConnect.ssh_options: {option!r} is not of the form Name=value.")
        return list(proposal.value)

    @property
    def sessions_folder(self) -> Path:
        """The folder of the session folders, absolute; RuntimeError where `~` means nothing."""
        return Path(self.sessions_dir).expanduser().absolute()

    def build(self) -> Site:
        """Constructs every object; the front doors only use them."""
        from .clients.xpra import Clients
        from .proxy.failures import Troubles
        from .proxy.relay_client import Relay
        from .proxy.tickets import Tickets
        from .proxy.websockets import Splices

        flavour, questions = self.flavour(), Questions()
        sessions = self.build_sessions(flavour, questions)
        sessions.apps.apps()  # read now: the first request need not wait for it
        clients = Clients([Path(folder) for folder in self.client_dirs])
        return Site(
            settings=self,
            sessions=sessions,
            flavour=flavour,
            apps=sessions.apps,
            clients=clients,
            tickets=Tickets(),
            splices=Splices(self.log, Relay(self.log), self.max_websockets, self.max_websockets_per_minute),
            troubles=Troubles(),
            questions=questions,
            hosts=frozenset(host.lower() for host in self.allowed_hosts),
        )

    def build_sessions(self, flavour: Flavour | None = None, asker: Asker | None = None) -> SessionManager:
        """The core alone, which is all that the command line needs; `asker` answers what a login to a node asks."""
        sessions_dir = self.sessions_folder
        scheduler = self._scheduler((flavour or self.flavour()).name, sessions_dir)
        transport = self._transport(asker)
        return SessionManager(
            scheduler=scheduler,
            transport=transport,
            store=Store(sessions_dir),
            apps=Catalogue(self._app_folders()),
            render=partial(self._render, sessions_dir, transport.bind, scheduler.dialect),
            limits=Limits(
                live=self.max_sessions,
                starts_per_minute=self.max_starts_per_minute,
                keep_ended_days=self.keep_ended_days,
                questions_per_minute=self.max_questions_per_minute,
            ),
            log=self.log,
        )

    def _render(self, sessions_dir: Path, bind: str, dialect: str, app: App, record: Record) -> str:
        from .job_script import render

        spec = replace(record.spec, native=(*self.native_options, *record.spec.native))
        return render(
            app,
            replace(record, spec=spec),
            sessions_dir=sessions_dir,
            bind=bind,
            dialect=dialect,
            port_base=self.port_base,
            port_range=self.port_range,
            folder=sessions_dir / record.key,
        )

    def _app_folders(self) -> list[Path]:
        folders = [Path(folder).expanduser() for folder in self.apps_dirs]
        for folder in folders:
            if not folder.is_dir():
                self.log.warning(f"There is no folder {folder} for app files. Make it, or correct QConnect.apps_dirs.")
        return [*folders, Path.home() / ".config/qconnect/apps"] if self.user_apps else folders

    def flavour(self) -> Flavour:
        """The batch system, as the site chose it or as this machine's commands tell."""
        flavour = detect() if self.scheduler == "auto" else Flavour(self.scheduler, "The site's settings say so.")
        self.log.info(f"QConnect's batch system is {flavour.name}. {flavour.why}")
        return flavour

    def _scheduler(self, name: str, sessions_dir: Path) -> Scheduler:
        """The scheduler of that name; the others' words are not even read."""
        if name == "local":
            from .schedulers.local.scheduler import LocalScheduler

            return LocalScheduler(sessions_dir.parent / "local", max_running=self.local_max_running)
        user = pwd.getpwuid(os.getuid()).pw_name
        if name == "slurm":
            from .schedulers.slurm.scheduler import SlurmScheduler

            return SlurmScheduler(Commands(), user=user)
        if name == "openpbs":
            from .schedulers.pbs.openpbs import OpenPbsScheduler

            return OpenPbsScheduler(Commands(), user=user)
        from .schedulers.pbs.torque import TorqueScheduler

        return TorqueScheduler(Commands(), user=user)

    def _transport(self, asker: Asker | None) -> Transport:
        """The transport that the site chose; what ssh needs is loaded only where it is used."""
        if self.transport == "local":
            return LocalTransport()
        tls = TlsTransport()
        if self.transport == "tls":
            return tls
        from .transports.auto import AutoTransport
        from .transports.ssh.masters import Masters
        from .transports.ssh.options import SshSettings
        from .transports.ssh.transport import SshTransport

        settings = SshSettings(
            command=self.ssh_command,
            config=Path(self.ssh_config).expanduser() if self.ssh_config else None,
            options=tuple(self.ssh_options),
            ask_unknown_hosts=self.ssh_unknown_hosts == "ask",
            idle_s=self.ssh_idle_minutes * 60,
        )
        ssh = SshTransport(Masters(settings, asker, self.log), TlsTransport())
        return ssh if self.transport == "ssh" else AutoTransport(tls, ssh)
