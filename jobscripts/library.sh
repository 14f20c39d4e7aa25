# shellcheck shell=bash source-path=SCRIPTDIR
# The pieces of the script below its values, in their order. The renderer puts each in the place of its line, and
# leaves out those that only sessions of another kind need; shellcheck follows the lines as they are.
. ./state.sh
. ./words.sh
. ./processes.sh
. ./runtime.sh
. ./node.sh
. ./keys.sh
. ./ports.sh
. ./display.sh
. ./probes.sh
. ./ending.sh
. ./program.sh
. ./tmux.sh
. ./vnc.sh
. ./session.sh
