/** POSIX shell text that runs on devices: the scripts that tie a remote command to its connection. Words are quoted by escape/shell.ts. */

/** Last line of every command's standard error: without it the connection broke, whatever ssh's exit code says. */
export const exitMarker = "edgestill-exit:";

/** Seconds of silence after which a device ends the command of a lost connection; the host sends a dot every quarter of it. */
export const silenceSeconds = 60;

const report = `printf '\\n${exitMarker}%s\\n' "$code" >&2; exit "$code"`;

/**
 * Runs "$2…" in a session of its own, for $1 seconds at most, while dots come on standard input: killing a local ssh leaves its remote command
 * running, so the command is tied to the input, which ends with the connection.
 */
export const watchedScript = `
limit=$1; shift
exec 3<&0 </dev/null
setsid timeout -k 2 "$limit" "$@" 3<&- & child=$!
( while [ "$(timeout ${silenceSeconds} head -c 1 <&3)" = . ]; do :; done
  kill -s TERM -- "-$child"; sleep 2; kill -s KILL -- "-$child" ) >/dev/null 2>&1 & watcher=$!
exec 3<&-
wait "$child"; code=$?
kill "$watcher" 2>/dev/null
${report}`;

/** Runs "$2…", for $1 seconds at most, with the standard input as its own: it ends when the input does. */
export const fedScript = `
limit=$1; shift
timeout -k 2 "$limit" "$@"; code=$?
${report}`;

/**
 * $1 file, $2 sha256, $3 bytes, $4 partial file. Prints "done", or the bytes that are there and the KiB that are free, then takes the missing bytes from standard input;
 * what came before a connection broke is kept. $5: file to make when the whole is there, or "". Exit code 3: the bytes are not those that were sent, 4: some are missing, 5: the device is full.
 */
export const receiveFile = `
arrived() { [ -z "$1" ] || { mkdir -p -- "$(dirname -- "$1")" && : > "$1"; }; exit; }
folder=$(dirname -- "$1"); mkdir -p -- "$folder" || exit 1
if [ -f "$1" ] && [ "$(sha256sum < "$1" | cut -c 1-64)" = "$2" ]; then echo done; arrived "$5"; fi
have=0; [ -f "$4" ] && have=$(wc -c < "$4")
[ "$have" -gt "$3" ] && { rm -f -- "$4"; have=0; }
free=$(df -Pk -- "$folder" | awk 'NR == 2 { print $4 }')
echo "$((have)) $((free))"
[ "$((1024 * free))" -lt "$(($3 - have))" ] && exit 5
cat >> "$4" || { rm -f -- "$4"; exit 1; }
[ "$(wc -c < "$4")" -lt "$3" ] && exit 4
[ "$(sha256sum < "$4" | cut -c 1-64)" = "$2" ] && mv -f -- "$4" "$1" && arrived "$5"
rm -f -- "$4"; exit 3`;

/** $1 owner. Prints "locked" and holds the device's lock until its end; exit code 75: prints the owner, somebody else has it. */
export const holdLock = `
set -- "\${TMPDIR:-/tmp}/edgestill.lock" "$1"
umask 0; [ -e "$1" ] || : > "$1" || exit 1
exec 9< "$1" || exit 1
flock -n 9 || { cat -- "$1"; exit 75; }
[ "$(stat -Lc %i /dev/fd/9)" = "$(stat -c %i -- "$1" 2>/dev/null)" ] || exit 76
trap 'rm -f -- "$1"; exit 0' TERM
(printf '%s since %s\\n' "$2" "$(date '+%H:%M:%S')" > "$1") 2>/dev/null
echo locked
sleep 1000000 9<&- & wait`;

/** The cache folder of this device. */
export const cacheFolderScript = `folder=\${XDG_CACHE_HOME:-$HOME/.cache}/edgestill; mkdir -p -m 700 -- "$folder" && cd -- "$folder" && pwd -P`;
