"""The site's settings: each one's only default, what it means, and what it may be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from traitlets import Bool, Dict, Enum, Float, Int, List, TraitError, Unicode, validate
from traitlets.config import LoggingConfigurable

from .errors import BadRequest
from .plain_text import PLAIN
from .schedulers.directives import check_native, word
from .schedulers.request_form import PRESETS, choices


class QConnect(LoggingConfigurable):
    """GUI programs as batch jobs, in browser tabs."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.log.addFilter(PLAIN)  # whoever gets this log from here on writes what batch systems and nodes have said

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
        "An option of the same name takes the place of the line that would stand there, and `!-l mem`, `!--mem` leave "
        "that line out. An app file's own options (`resources: native`) come after them.",
    ).tag(config=True)
    request_form = Enum(
        ["auto", *PRESETS],
        "auto",
        help="How the site's batch system wants to be asked. `torque`: `-l nodes=N:ppn=C:gpus=G`, `-l mem=`. `select`: "
        "`-l select=N:ncpus=C:mem=M:ngpus=G`. `slurm`: `--mem`, `--gpus-per-node`; `slurm-mem-per-cpu`, "
        "`slurm-no-memory` and `slurm-gres` differ in that. `auto`: `torque` for TORQUE, `select` for OpenPBS and PBS "
        "Pro, `slurm` for Slurm.",
    ).tag(config=True)
    request_cores = Enum(
        choices("cores"),
        "auto",
        help="How nodes and cores are asked for, where the form is another: `nodes` (`-l nodes=N:ppn=C`; Slurm's only "
        "one), `select` (`-l select=N:ncpus=C`).",
    ).tag(config=True)
    request_memory = Enum(
        choices("memory"),
        "auto",
        help="How memory is asked for, where the form is another: `mem` (all of it; `--mem`), `vmem`, `pmem` (for each "
        "core), `mem-per-cpu` (`--mem-per-cpu`), `none` (not at all).",
    ).tag(config=True)
    request_gpus = Enum(
        choices("gpus"),
        "auto",
        help="How GPUs are asked for, where the form is another: `gpus`, `ngpus` (PBS, beside the cores), "
        "`gpus-per-node`, `gres` (`--gres=gpu:N`).",
    ).tag(config=True)
    request_gpu_type = Unicode("", help="The type of GPU that Slurm is asked for: `--gres=gpu:TYPE:N`.").tag(
        config=True
    )
    request_account_as = Enum(
        choices("account_as"),
        "auto",
        help="What a job's account goes by: `account` (`-A`, `--account`), `project` (`-P` of PBS Pro).",
    ).tag(config=True)
    account = Unicode("", help="The account of jobs whose app names none (`resources: account`).").tag(config=True)
    qos = Unicode("", help="The quality of service of every job: `--qos=`, `-l qos=`.").tag(config=True)
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
    node_setup = Unicode(
        "",
        help="Bash that each job runs on its node before it looks for xpra, Xvfb or TigerVNC: `module load xpra`. They "
        "are then searched in the PATH that it leaves, and get its LD_LIBRARY_PATH and PYTHONPATH; programs do not.",
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
    max_live_websockets = Int(
        200,
        min=0,
        help="How many pages of a user may show sessions at a time, each by a websocket for its heartbeat; "
        "0: no limit.",
    ).tag(config=True)
    unseen_minutes = Float(
        5,
        min=0,
        help="After how many minutes in which nobody could see a page (another tab in front, a window minimised) it "
        "lets its display go and closes its websockets, so that idle servers can be stopped. The program goes on, and "
        "the page is back when it is looked at. 0: never.",
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
    audit_file = Unicode(
        "",
        help="A file to which each start, open, stop, removal and end of a session is appended as a line of JSON: who, "
        "what, from where, and what came of it. It belongs to the user whose server this is, and to nobody else.",
    ).tag(config=True)
    form = Dict(
        help="What users may choose of every app, with the keys of an app file's `form`: `{'cores': {'max': 32}, "
        "'account': {'choices': ['p1', 'p2']}, 'gpus': {'types': ['a100']}, 'native': True}`. An app file's own limits "
        "hold as well. Native options may be written only where `native` is True here.",
    ).tag(config=True)
    tile_starts = Enum(
        ["last-used", "defaults", "form"],
        "last-used",
        help="What one click on a tile does. `last-used`: starts with what its user asked for in the form the last "
        "time. `defaults`: starts with the app's own. `form`: opens the form.",
    ).tag(config=True)
    keep_ended_days = Float(
        7, min=0, help="For how many days an ended session and its logs stay in the list before they are removed."
    ).tag(config=True)

    @validate("native_options")
    def _native_options(self, proposal: Any) -> list[str]:
        """Refuses, at the start, what no job could be submitted with."""
        try:
            check_native(proposal.value)
        except BadRequest as error:
            raise TraitError(f"QConnect.native_options: {error.message}") from None
        return list(proposal.value)

    @validate("form")
    def _form(self, proposal: Any) -> dict[str, Any]:
        """Refuses, at the start, what an app file's `form` could not hold."""
        from .apps.site_form import checked

        try:
            return checked(dict(proposal.value))
        except BadRequest as error:
            raise TraitError(f"QConnect.form: {error.message}") from None

    @validate("account", "qos", "request_gpu_type")
    def _words(self, proposal: Any) -> str:
        """Refuses, at the start, what no directive could hold."""
        try:
            return word(proposal.value) if proposal.value else ""
        except BadRequest as error:
            raise TraitError(f"QConnect.{proposal.trait.name}: {error.message}") from None

    @validate("ssh_options")
    def _ssh_options(self, proposal: Any) -> list[str]:
        """Refuses, at the start, what ssh could not be told."""
        for option in proposal.value:
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*=[^\x00-\x1f\x7f]+", option):
                raise TraitError(f"QConnect.ssh_options: {option!r} is not of the form Name=value.")
        return list(proposal.value)

    @validate("audit_file")
    def _audit_file(self, proposal: Any) -> str:
        """Refuses, at the start, what would be a file wherever the server happens to run."""
        if proposal.value and not Path(proposal.value).expanduser().is_absolute():
            raise TraitError(f"QConnect.audit_file: {proposal.value!r} must begin with / or ~.")
        return str(proposal.value)

    @property
    def audit_path(self) -> Path | None:
        """The audit file, if there is to be one."""
        return Path(self.audit_file).expanduser() if self.audit_file else None

    @property
    def sessions_folder(self) -> Path:
        """The folder of the session folders, absolute; RuntimeError where `~` means nothing."""
        return Path(self.sessions_dir).expanduser().absolute()


def config_file() -> str:
    """A configuration file with every setting, its default and what it means, as comments."""
    from traitlets.config import Application

    return Application().generate_config_file(classes=[QConnect])


def site_settings() -> QConnect:
    """The settings that a Jupyter server would read (`jupyter_server_config.py`, `.json`), for the terminal.

    Raises BadRequest, naming the setting, for a value that cannot be.
    """
    from jupyter_core.application import JupyterApp

    app = JupyterApp(config_file_name="jupyter_server_config")
    app.load_config_file()
    try:
        return QConnect(config=app.config)
    except TraitError as error:
        raise BadRequest(f"The site's settings cannot be used. {error}") from None
