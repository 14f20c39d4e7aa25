"""Every time and count that the sessions go by, with its reason; in seconds, where nothing else is said.

They are read here each time (`timings.SETTLE`), so that a test can turn minutes into seconds. What one command of a
batch system may take is in `schedulers/commands`.
"""

from __future__ import annotations

# ---------------------------------------------------------------- looking at the session folders: cheap, and tells most
LOOK_OPENING = 0.1
"""Between two looks while somebody waits and a run is opening its display."""
OPENS_WITHIN = 5.0
"""A run counts as opening for so long: most are ready within two, and a busy file system is left alone then."""
LOOK_WAITING = 0.25
"""Between two looks while somebody waits for a session to start or end."""
LOOK_WATCHED = 1.0
"""Between two looks while somebody watches and nothing is between two states."""
LOOK_PENDING = 10.0
"""Between two looks while nobody watches and something is between two states."""
LOOK_IDLE = 60.0
"""Between two looks while nobody watches and nothing happens."""
LOOK_PATIENCE = 5.0
"""A look on somebody's behalf is waited for so long; a file system that hangs leaves the last one standing."""
FIRST_LOOK = 1.5
"""The first listing waits so long for the first look."""
GLANCE = 15.0
"""One listing counts as somebody watching for so long: pages that poll ask more often than this."""
SETTLE = 30.0
"""After a job's end its folder is read for so long: its last words may arrive after the scheduler's."""

# ---------------------------------------------------------------- asking the scheduler: dear, and counted by the site
PENDING_INTERVAL = 10.0
"""Between two questions while something is not yet READY and somebody watches."""
READY_INTERVAL = 60.0
"""Between two questions while all is READY, or while nobody watches what is pending."""
LIST_PATIENCE = 1.75
"""A list that is asked for waits so long for an answer: with its own start it is there in three, as it was known."""
LIST_STEP = 0.1
"""Between two looks at whether a question of another server, which was put just now, has its answer."""
MAX_INTERVAL = 120.0
"""Between two questions at most, however often the scheduler has failed to answer."""
SPREAD = 0.2
"""Ratio: intervals are up to so much longer at random, never shorter, so that servers do not ask in step."""
FIRST_STEP = 0.25
"""To the second question after something changed; doubles until it reaches the interval."""
FIRST_STEP_DEAR = 2.0
"""The same for a batch system, whose every answer is a command."""
JUST_SUBMITTED = 5.0
"""A queued job of a cheap scheduler is asked about at these short steps for so long: it may start at once."""
WINDOW = 60.0
"""The time that `questions_per_minute` is about; a user's servers and command lines have that budget together."""
BURST = 2.4
"""Ratio: so many times that number within one WINDOW, if few were put before: whoever acts is not kept waiting."""
MEAN_OVER = 60
"""Count: within so many WINDOWs that number holds on average, for whatever is done in them."""
KEPT_FOR_ACTS = 3
"""Count: so many questions are left for whoever acts by those about queues, and about jobs that an answer left out."""
EAGER = 60.0
"""After something happened the burst may be used for so long; else it is kept for the next time."""
ELSEWHERE_STEP = 1.0
"""Between two looks at whether another server, which is asking just now, has its answer."""
YOUNG = 0.9
"""Ratio: another server's answer saves the question while it is younger than so much of the interval."""

# ---------------------------------------------------------------- believing the scheduler
MISSES = 3
"""Count: a job is gone when so many answers over MISSING_FOR did not know it. Unknown is not gone."""
MISSING_FOR = 60.0
"""The answers that do not know a job must be spread over so long."""
JUST_TAKEN = 60.0
"""A job that nobody has asked about yet is known to be queued for so long after its submission."""
CLOCK_SKEW = 300.0
"""A node's clock may differ from the scheduler's by so much."""

# ---------------------------------------------------------------- stops that were refused, or came to nothing
STOP_STEP = 10.0
"""To the second try of a stop that was refused; doubles from try to try: its node may be away for days."""
STOP_INTERVAL = 900.0
"""Between two tries at most: a job ends no later than this after its node is back."""
STOP_WITHIN = 300.0
"""A stop that was taken has ended its job within so long, or is sent again: sites let jobs clean up for minutes."""

# ---------------------------------------------------------------- dialling a display that was lost
LOSS_AGE = 1.0
"""An answer counts for so long: a scheduler may still call a job running that has just been killed to run again."""
LOSS_PATIENCE = 5.0
"""An answer is waited for so long: a batch system that is silent must not keep anybody from a session."""
LOSS_QUESTIONS = 3
"""Count: so many questions are put for one loss; a node that is away for long is not asked about at every attempt."""
LOSS_STEP = 0.1
"""Between two looks at whether the scheduler has answered about a display that was lost."""

# ---------------------------------------------------------------- submissions, and jobs without a record of their id
START_PATIENCE = 9.0
"""Who asks for a start by HTTP is answered within so long; a submission that takes longer goes on without them."""
SUBMIT_WITHIN = 120.0
"""A submission that nobody can see any more counts as abandoned after so long."""
LATE_BY = 600.0
"""An abandoned intent is kept for so long, for a job that the scheduler announces late.

A submission that was given up may still be in the batch system's hands, for as long as that is busy.
"""
SAME_REQUEST = 30.0
"""Who sends a request again waits so long for the session of the first one."""
SAME_REQUEST_STEP = 0.5
"""Between two looks at whether the first one has it."""
STARTS_WINDOW = 60.0
"""The starts of so long are counted (`starts_per_minute`)."""
CLOSE_WITHIN = 10.0
"""A server that ends waits so long for the submissions that are under way."""

# ---------------------------------------------------------------- the folders
TORN = 60.0
"""A file may be torn for so long: NFS shows half of one for moments, a disk that was full does so for ever."""

# ---------------------------------------------------------------- the queues
QUEUES_FRESH = 120.0
"""The queues are not asked for again for so long."""
QUEUE_QUESTIONS = 3
"""Count: what a batch system is asked at most to tell of its queues: limits, nodes, the default one."""
MODULES_PATIENCE = 3.0
"""A form waits so long for the module system; an answer that comes later is there for the next one."""
QUEUES_PATIENCE = 2.0
"""A start waits so long for queues that are not known yet; the batch system then speaks for itself."""
