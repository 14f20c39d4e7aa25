# shellcheck shell=bash
# State: every global of this script, all of which begin with `qc_`, and what it means. Each stage is a process of its
# own with values of its own: what the top shell finds out comes to the others in the file RUNTIME/who.

# What was written above, of the app and the server that starts it, or for a start by hand. 1 and 0 are yes and no.
declare qc_key          # the tag of the job that the server submits, and the name of its folder; empty: by hand
declare qc_sessions     # the folder of all session folders; empty: the one in the home
declare qc_record       # the end of the JSON line session.json that a run by hand writes
declare qc_bind         # what the server dials: `tls`, a port, or `socket`, a unix socket
declare qc_port_base    # the first of the ports that may be taken
declare qc_port_range   # how many they are
declare qc_walltime     # seconds that the job may take; the batch system's word, where it gives one, goes before
declare qc_kind         # gui, desktop, terminal or vnc
declare qc_opengl       # whether the X server offers GLX
declare qc_grace        # seconds that what a program leaves behind may be without a window
declare qc_geometry     # a VNC desktop's size until the page has told its own, WIDTHxHEIGHT in pixels
declare qc_hold_keys    # whether keys stay down for as long as the user holds them
declare qc_node_setup   # the site's commands that bring xpra and X servers to the node
declare -a qc_client    # the command `qconnect` of the server's installation; empty: by hand, or no terminal
declare -a qc_answers   # what the user answered the app's own questions: field_NAME=TEXT, for setup and the program
declare qc_setup        # the commands that prepare the program, for its own shell
declare -a qc_requires  # programs that must be there beside the command's own
declare -a qc_command   # the program and its arguments

# This script and its tools.
qc_path=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin # PATH of all that is not the user's program
qc_user_path=''  # PATH as the job got it, or node_setup left it, for what a site brings as a module
qc_user_world=() # LD_LIBRARY_PATH and PYTHONPATH of the same, as assignments
qc_script=$0    # the path of this script, absolute
[[ $qc_script == /* ]] || qc_script=$PWD/$qc_script
qc_setsid=''      # setsid (util-linux), which gives each of our processes a session of its own
qc_curl=''        # curl, where there is one
qc_xpra=''        # xpra, or the site's wrapper of it
declare -a qc_xvfb   # Xvfb, after `env` and its environment
declare -a qc_vnc    # TigerVNC's X server, likewise
declare -a qc_python # the Python of the door, likewise

# The job and its run.
qc_job=''    # the job id as the batch system gave it
qc_number='' # its digits: the first choice of display and port hangs on them
qc_node=''   # the host name of this node
qc_run=''    # a UUID, which says in the file `run` whose the session folder is
qc_s=''      # the session folder, which the server reads
qc_rt=''     # the runtime folder, on the node's own disk
qc_began=''  # epoch seconds at which the job's shell began, perhaps with a fraction
qc_umask=''  # the user's umask, for the program

# What runs.
qc_watch=''        # the pid of what waits for the top shell's death
qc_keys=''         # the pid of what makes the keys; empty: none are made
qc_program_ready=0 # whether the program's shell is through with its preparation
qc_started=''      # epoch seconds at which the session was open; empty: it is not yet
qc_ending=''       # 1 as soon as its end is dealt with
qc_d=''            # the display's number, without a colon; empty: there is none
qc_port=''         # the port on which xpra, or the door, listens or is about to
qc_fingerprint=''  # SHA-256 of the certificate of this run's server, as 64 hex digits; empty: it has none
qc_door=xpra       # what the server talks to: `xpra`, or `door` to a VNC desktop; also the name of its log and pid file
[[ $qc_kind == vnc ]] && qc_door=door

# xpra: what it is and what it is given.
qc_xpra_version=''  # as it calls itself
qc_xpra_number=''   # major * 100 + minor of it
qc_xpra_ended=''    # the exit status of an xpra, or door, that ended before it listened
qc_dropped=' '      # options that it turned out not to know, a space on each side of each
qc_options=()       # options that do not concern access
qc_access=()        # those that do
qc_listen=()        # the addresses that it listens at, of each family that one socket takes …
qc_loopback=()      # … and those at which the probes ask
qc_xpra_world=()    # `env` and the environment of every xpra

# What functions give back. Each says so in its comment, and the next call of any may change it.
qc_text=''  # qc_json
qc_time=''  # qc_now: epoch seconds
qc_what=''  # qc_take and qc_next: the event's name …
qc_rc=''    # … and exit status
qc_ppid=''  # qc_stat: the parent of a process …
qc_start='' # … and when it began, in clock ticks since the node did
qc_tree=()  # qc_find_tree: pids
qc_found='' # qc_search and qc_find: the path of a program …
qc_world=() # … and the environment that it needs, as assignments
qc_others=() # qc_find_others: the environment files of processes
qc_inodes=() # qc_port_taken: the listening sockets
qc_sockets='' # qc_find_sockets
