"""Literal texts of TORQUE 6.1.3.h5, as recorded."""

VERSION = "Version: 6.1.3.h5\nCommit: 4decc716daa73044648b5578ef68d89713d2f6a2\n"
ABOUT = """HomeDir:   /var/spool/torque  InstallDir: /usr/local/torque  Server: {server} (PBS_DEFAULT is set)
BuildDir:  /tmp/torque-src
BuildUser: 
BuildHost: {server}
BuildDate: Sun Nov 22 06:41:17 UTC 2026
Version:   6.1.3.h5
Commit:  4decc716daa73044648b5578ef68d89713d2f6a2
"""  # noqa: W291 - as recorded
QSUB_USAGE = """
usage: qsub [-a date_time] [-A account_string] [-b secs]
    [-c [ none | { enabled | periodic | shutdown |
    depth=<int> | dir=<path> | interval=<minutes>}... ]
    [-C directive_prefix] [-d path] [-D path]
    [-e path] [-h] [-I] [-j oe|eo|n] [-k {oe}] [-K <kill delay seconds>] 
    [-l resource_list] [-m n|{abe}] [-M user_list] [-N jobname] [-o path] 
    [-p priority] [-P proxy_user [-J <jobid]] [-q queue] [-r y|n] 
    [-S path] [-t number_to_submit] [-T type]  [-u user_list] [-w] path
    [-W additional_attributes] [-v variable_list] [-V ] [-x] [-X] [-z] [script]

"""  # noqa: W291 - as recorded
QDEL_USAGE = (
    "usage: qdel [{ -a | -c | -p | -t | -W delay | -m message}] [-b retry_seconds] "
    "[<JOBID>[<JOBID>]|'all'|'ALL']...\n       -a -c, -m, -p, -t, and -W are mutually exclusive\n"
)
NO_NODES = (
    "Job exceeds queue resource limits MSG=cannot locate feasible nodes (nodes file is empty, all systems are busy, "
    "or no nodes have the requested feature)"
)
TABLE = (
    "Job ID                    Name             User            Time Use S Queue\n"
    "------------------------- ---------------- --------------- -------- - -----\n"
)
WIDE_TABLE = (
    f"{' ' * 82}Req'd       Req'd       Elap\n"
    "Job ID                  Username    Queue    Jobname          SessID  NDS   TSK   Memory      Time    S   Time\n"
    "----------------------- ----------- -------- ---------------- ------ ----- ------ "
    "--------- --------- - ---------\n"
)
QUEUE_TABLE = (
    "Queue              Max    Tot   Ena   Str   Que   Run   Hld   Wat   Trn   Ext T   Cpt\n"
    "----------------   ---   ----    --    --   ---   ---   ---   ---   ---   --- -   ---\n"
)
QUEUE_LIMITS = (
    "Queue            Memory CPU Time Walltime Node  Run Que Lm  State\n"
    "---------------- ------ -------- -------- ----  --- --- --  -----\n"
)
