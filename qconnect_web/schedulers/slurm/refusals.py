"""What `sbatch` says when it takes no job (slurm_errno.c, and the names of limits), and what can be done about it."""

from __future__ import annotations

from ..refusal import FORM, Refusal

SUBMIT_REFUSALS = (
    Refusal(
        ("cli_filter plugin", "job_submit plugin", "error: lua:", "slurm_job_submit"),
        "submit-filter",
        "The site's own check of jobs did not let this one through. Change what it complains about; what the launch "
        "form does not offer, like the form in which memory is asked for, is a setting of the site "
        "(QConnect.request_form).",
    ),
    # ---- limits of accounts and QOS stand before the sentence about all of them that Slurm puts behind
    Refusal(
        (
            "MaxSubmitJobPerUser",
            "MaxSubmitJobPerAccount",
            "MaxSubmitJobLimit",
            "MaxSubmitJobs",
            "GrpSubmitJobs",
            "QOSGrpSubmitJobsLimit",
            "AssocMaxSubmitJobLimit",
        ),
        "too-many-jobs",
        "You have as many jobs as the batch system allows. End one, or wait for one to end.",
    ),
    Refusal(
        (
            "MaxWallDurationPerJobLimit",
            "MaxWallDuration",
            "GrpWall",
            "Requested time limit is invalid",
            "Time limit exceeds",
        ),
        "limits",
        "It asks for more walltime than the partition, your account or your QOS allows. Ask for less.",
        "walltime",
    ),
    Refusal(
        ("Time limit specification required", "Invalid time specified", "Invalid --time specification"),
        "bad-option",
        "Slurm does not take the walltime as it is. Write it as hours:minutes:seconds.",
    ),
    Refusal(
        ("QOSMin", "AssocMin"),
        "limits",
        "It asks for less than the QOS is for. Ask for more, or choose another QOS.",
    ),
    Refusal(
        (
            "QOSMaxCpu",
            "QOSMaxMemory",
            "QOSMaxNode",
            "QOSMaxGRES",
            "QOSGrp",
            "AssocMaxCpu",
            "AssocMaxMem",
            "AssocMaxNode",
            "AssocMaxGRES",
            "AssocGrp",
            "MaxMemPerLimit",
            "MaxCpuPer",
            "MaxNodePer",
        ),
        "limits",
        "It asks for more than your account or your QOS may have. Ask for less, or wait for one of your jobs to end.",
    ),
    Refusal(
        ("Job violates accounting/QOS policy",),
        "too-many-jobs",
        "You have as many jobs as the batch system allows, or ask for more than your account may have. End one, or "
        "ask for less.",
    ),
    Refusal(
        ("Resource temporarily unavailable",),
        "too-many-jobs",
        "Slurm holds as many jobs as it can. Try again in a few minutes.",
    ),
    # ---- partitions
    Refusal(
        ("Invalid partition", "No partition specified"),
        "unknown-queue",
        "There is no such partition. Choose another one, or leave it out.",
        "queue",
    ),
    Refusal(
        (
            "Required partition not available",
            "Requested partition configuration not available now",
            "Partition is down",
            "Partition is in a DOWN",
        ),
        "queue-closed",
        "The partition takes no jobs now. Choose another one.",
        "queue",
    ),
    Refusal(
        ("User's group not permitted", "not permitted to use this partition", "account not permitted"),
        "queue-not-yours",
        "The partition is not open to you. Choose another one, or ask your administrator.",
        "queue",
    ),
    # ---- GPUs, memory, nodes
    Refusal(
        (
            "Requested GRES option unsupported",
            "unrecognized option '--gpus",
            "Invalid Trackable RESource (TRES) specification",
        ),
        "request-form",
        f"This site's Slurm does not know the form in which GPUs were asked for. {FORM}",
    ),
    Refusal(
        ("Invalid generic resource (gres)", "Invalid GRES", "Invalid gres"),
        "limits",
        "No node of the partition has such GPUs, or so many. Ask for fewer, or for another partition.",
        "gpus",
    ),
    Refusal(
        ("Memory specification can not be satisfied",),
        "request-form",
        "This site's Slurm takes no amount of memory from a job, or no node has so much. If less does not help, the "
        "site does not schedule memory, and how it is asked for is a setting of the site (QConnect.request_form): ask "
        "your administrator.",
    ),
    Refusal(
        ("mutually exclusive",),
        "bad-option",
        "Two of the job's options exclude each other. Look at the site's and the app's native options.",
    ),
    Refusal(
        ("Invalid feature specification",),
        "unknown-feature",
        "No node has the feature that is asked for. Look at the site's and the app's native options (--constraint).",
    ),
    Refusal(
        (
            "node configuration is not available",
            "Memory required by task is not available",
            "Node count specification invalid",
            "CPU count specification invalid",
            "More processors requested than permitted",
            "Requested nodes not in this partition",
            "Requested nodes are busy",
        ),
        "limits",
        "It asks for what no node of the partition has: so many cores or GPUs, so much memory, that type of GPU; or "
        "for more nodes than there are. Ask for less, or for another partition.",
    ),
    Refusal(
        ("Required node not available", "Invalid node name"),
        "limits",
        "A node that is asked for is not there, or closed. Leave it out, or ask for another one.",
    ),
    # ---- what a job is charged to, and what it needs
    Refusal(
        ("Invalid account", "Account has expired"),
        "account",
        "The account is not accepted, or not with this partition or QOS. Choose one that you may charge jobs to.",
        "account",
    ),
    Refusal(
        ("Invalid qos", "Invalid wckey"),
        "account",
        "The QOS or the key that jobs are charged by is not accepted. It is a setting of the site, or one of the app's "
        "native options.",
    ),
    Refusal(
        ("Access denied to requested reservation", "Requested reservation", "Reservation is invalid"),
        "reservation",
        "The reservation is not there, not yours, or not open now. Look at the site's and the app's native options.",
    ),
    Refusal(
        ("Invalid license specification", "Job dependency problem", "Burst Buffer"),
        "bad-option",
        "Slurm cannot give what one of the job's options asks for. Look at the site's and the app's native options.",
    ),
    Refusal(
        (
            "unrecognized option",
            "invalid option",
            "Unrecognized",
            "Invalid --",
            "requires an argument",
            "script is empty",
            "does not look like a batch script",
            "Invalid job array specification",
            "Job name too long",
            "Pathname of a file",
        ),
        "bad-option",
        "Slurm does not understand one of the job's options. Look at the site's and the app's native options.",
    ),
    Refusal(
        ("Access/permission denied", "not allowed to submit", "Invalid user id", "Only batch jobs are accepted"),
        "not-a-submit-host",
        "Jobs may not be submitted from this machine or by this user. Ask your administrator.",
    ),
    Refusal(
        ("presently disabled",),
        "queue-closed",
        "Slurm takes no jobs now. Try again later, or ask your administrator.",
    ),
)
"""The first row that is in its words counts."""
