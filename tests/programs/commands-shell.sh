set -- -a -b value rest; while getopts ab: o; do echo "$o $OPTARG $OPTIND"; done
set -- -x; getopts ab o 2>&1 | sed 's/.*: //'; echo $?
getopt -o ab:c:: -l long,with: -- -a -b 1 -c2 --long --with=3 x y
getopt ab: -q -a -z; echo $?
set -e; false; echo not reached
set -u; echo $unset_variable; echo not reached
set -x; echo traced $((1 + 1)); : nothing
set -f; echo *; set +f
set -o noglob; echo a*; set +o noglob
set -C; echo one > noclobber; echo two > noclobber; cat noclobber
set -n; echo never
set -- one two three; shift 2; echo $# $1; shift 5; echo $?
set -- a b c; echo "$*" "$@" $#; IFS=,; echo "$*"
IFS=' :'; x='a b::c'; set -- $x; echo $# "$4"
echo ${x-unset} ${x:-empty} ${x+set}; x=; echo ${x-unset} ${x:-empty} ${x+set}
x=/usr/lib/libc.so.6; echo ${x##*/} ${x%/*} ${x%%.*} ${x#*/}
x=aXbXc; echo ${x#*X} ${x##*X} ${x%X*} ${x%%X*}
x='*'; echo "$x" "${x#\*}" '${x}'
x=hello; echo ${x:2} ${x:1:2} ${x: -3} ${x: -3:2}
x=abcabc; echo ${x/b/-} ${x//b/-} ${x/#a/^} ${x/%c/$}
echo $((010)) $((0x1F)) $((1+2*3-4/2%3)) $((~5)) $((!0)) $((-3**2))
echo $((5 & 3)) $((5 | 3)) $((5 ^ 3)) $((1 << 4)) $((-16 >> 2))
echo $((3 > 2)) $((3 == 2)) $((3 != 2)) $((1 && 0)) $((1 || 0)) $((0 ? 4 : 5))
x=5; echo $((x++)) $((++x)) $((x--)) $((--x)) $((x += 3)) $((x *= 2)) $((x %= 5))
echo $((x = 4, x * x))
echo $((1 / 0)); echo $?
echo $((08)); echo $?
let x=3+4; echo $x; let x-=7; echo $?
cat << END
here $((1 + 1)) $(echo substituted) `echo too` \$not
END
cat << 'END'
not here $((1 + 1)) \$
END
cat <<- END
	tabs go
		all of them
	END
cat << A; cat << B
first
A
second
B
read a b c << END; echo "$c|$b|$a"
one two three four
END
while read line; do echo "[$line]"; done << END
  leading
trailing \
joined
END
while IFS= read -r line; do echo "[$line]"; done << 'END'
  kept \
  as it is
END
echo 'a:b:c' | { IFS=: read x y z; echo $z $y $x; }
printf 'no newline' | { read x; echo "$? $x"; }
printf 'abc' | { read -n 2 x; echo $x; }
printf 'a,b' | { read -d , x; echo $x; }
read -t 0 x; echo $?
read x < /dev/null; echo $?
f() { return 3; }; f; echo $?; f || echo failed
f() { echo $FUNCNAME $0 | sed 's/ .*//'; }; f
f() { x=changed; }; x=before; f; echo $x; (x=sub; f); echo $x
f() (x=sub; exit 4); f; echo $? $x
f() { local a=1 b; b=2; echo $a$b; }; a=o b=o; f; echo $a$b
f() { unset -f f; echo once; }; f; f 2>/dev/null; echo $?
fib() { [ $1 -lt 2 ] && echo $1 || echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2))))); }; fib 9
a() { b; }; b() { c; }; c() { echo deep; return 9; }; a; echo $?
if false; then echo no; elif true; then echo yes; else echo no; fi
if ! true; then echo no; else echo not; fi
for i in; do echo never; done; echo $?
for i in 1 2 3; do for j in a b; do [ $j = b ] && continue 2; echo $i$j; done; done
for i in 1 2; do for j in a b; do break 2; done; done; echo $i$j
i=0; while :; do i=$((i+1)); [ $i -gt 3 ] && break; done; echo $i
i=5; until [ $i = 0 ]; do i=$((i-1)); done; echo $i
case abc in a*c) echo one;; abc) echo two;; esac
case x in a|x|y) echo alternative;; esac
case '[' in '[') echo bracket;; esac
case a-b in *-*) echo dash;; esac
case 5 in [0-9]) echo digit;; esac; case b in [!a]) echo not a;; esac
case "" in "") echo empty;; *) echo full;; esac
case $(echo a b) in 'a b') echo substituted;; esac
true && false || echo rescued
false && echo no; echo $?
! false; echo $?
{ false; true; }; echo $?
(exit 3) || echo $?
true | false; echo $?; false | true; echo $?
set -o pipefail; false | true; echo $?
echo one; echo two & wait; echo three
{ echo a; echo b >&2; } 2>&1 | sort
{ echo a; echo b >&2; } 2> err; cat err
echo both > both 2>&1; cat both; ls nothing >> both 2>&1; wc -l < both
exec 4> four; echo to four >&4; exec 5>&4; exec 4>&-; echo to five >&5; exec 5>&-; cat four
exec 6< four; read x <&6; echo $x; read x <&6; echo $x; exec 6<&-
echo x >&9; echo $?
echo appended >> four; tail -n 1 four
cat < nonexistent; echo $?
> created; ls created; wc -c < created
< four cat | head -n 1
cat 3< four <&3
echo visible 3>&1 1>&2 2>&3 3>&- | cat
command echo plain; command -V cd | head -n 1; command -v nothing; echo $?
type echo; type sh > /dev/null; type nothing_there; echo $?
alias hi='echo hello'; eval hi; unalias hi; eval hi 2>/dev/null; echo $?
eval "x=\$((1+1))"; echo $x; eval 'eval "echo twice"'
x=y; y=z; eval echo \$$x
export E=exported; sh -c 'echo $E'; E=temporary sh -c 'echo $E'; echo $E
readonly R=1; (R=2) 2>/dev/null; echo $? $R
unset x; echo ${x?is not set}; echo not reached
x=1; y=$x$x; z="$x $y"; echo $z; unset x y; echo "$x$y"
echo "a\tb" 'c\td' e\\f
echo "dollar \$ quote \" back \\ tick \`"
echo 'it'"'"'s' "it's" it\'s
echo -e '\x41\102\a\b\f\v\0101' | od -c
echo -n a; echo -ne 'b\n'; echo -E 'c\n'
printf '%s\n' one two three; printf '%d-%d\n' 1 2 3
printf '%5s|%-5s|%05d|%+d|%x|%X|%#x|%o|%e|%g\n' ab cd 42 7 255 255 255 8 1234.5 0.0001
printf '%c%c\n' abc def; printf '%%|%b|\n' 'a\nb'; printf '%.2s|%.3f\n' abcdef 3.14159
printf '%s' ; printf '%d\n' abc; echo $?
printf '\101\x42\n'; printf '%i\n' "'A"; printf '%*d|\n' 6 42
test abc; echo $?; test ""; echo $?; test; echo $?
test a = a -a b = b; echo $?; test a = b -o b = b; echo $?; test ! a = b; echo $?
test -n x && test -z "" && echo both; [ 3 -gt 2 ] && [ 2 -ge 2 ] && echo more
[ a '<' b ] && echo less; [ b \> a ] && echo greater
[[ abc == a* ]] && echo matches; [[ abc != b* && 1 -lt 2 ]] && echo and
[ -f four ] && [ ! -d four ] && [ -s four ] && [ -r four ] && [ -w four ] && [ ! -x four ] && echo file
[ four -nt created ]; [ four -ef four ] && echo same
[ -p /dev/stdin ]; echo $?; [ -c /dev/null ] && echo character; [ -b /dev/null ]; echo $?
[ -t 0 ]; echo $?
[ 1 -eq x ]; echo $?
[ 1 = 1; echo $?
trap 'echo bye' EXIT; exit 5
sh -c 'trap "echo int" INT; kill -INT $$; echo after; trap - INT; trap'
sh -c 'trap "echo usr1; trap - USR1" USR1; kill -USR1 $$; trap'
sh -c 'trap "" TERM; kill -TERM $$; echo survived'
trap 'echo err' ERR 2>/dev/null; echo $?
(trap 'echo sub exit' 0; exit 2); echo $?
sh -c 'trap "echo one; exit 7" HUP; kill -HUP $$'; echo $?
sh -c 'kill -QUIT $$' 2>/dev/null; echo $?
sh -c 'kill -SEGV $$' 2>/dev/null; echo $?
sh -c 'ulimit -c 0; kill -ABRT $$' 2>/dev/null; echo $?
kill -s TERM 99999999; echo $?; kill -l TERM; kill -l 15; kill -l 143
sleep 1000 & p=$!; kill -STOP $p; kill -CONT $p; kill $p; wait $p 2>/dev/null; echo $?
sleep 0.3 & sleep 0.1 & wait; echo both
(sleep 0.1; exit 6) & wait $!; echo $?
wait 99999999; echo $?
(exit 4) & p=$!; (exit 5) & wait $p; echo $?; wait $!; echo $?
jobs; sleep 0.2 & jobs > /dev/null; wait; jobs
nohup echo not hung up 2>/dev/null
[ $(nice -n 3 nice) = $(($(nice) + 3)) ]; echo $?
setsid sh -c 'echo own session'
timeout -s KILL 0.1 sleep 5; echo $?; timeout 5 false; echo $?; timeout 1 nothing_there; echo $?
time -p true 2>&1 | wc -l
flock four -c 'echo locked'; flock -n four true; echo $?
flock -x four sh -c 'flock -n four2 echo inner'
env -i sh -c 'echo $PATH | wc -c' > /dev/null; env -u HOME sh -c 'echo ${HOME-gone}'; env X=1 sh -c 'echo $X'
env nothing_there; echo $?; env -i /bin/nothing; echo $?
xargs -0 -n 1 echo < /dev/null; printf 'a b\0c' | xargs -0 -n 1 echo
echo a b c | xargs -t echo 2>&1 | tail -n 1; echo 1 2 3 | xargs -n 2; echo x | xargs -I% echo %-%
echo | xargs echo empty; echo | xargs -r echo never; echo 'a "b c" d' | xargs -n 1
seq 5 | xargs sh -c 'echo $# $0'; echo 1 | xargs false; echo $?; echo 1 | xargs sh -c 'exit 255'; echo $?
find . -maxdepth 1 -name 'f*' -print0 | xargs -0 ls
ulimit -n > /dev/null; (ulimit -S -c 0; ulimit -c)
umask; umask 077; umask -S; touch private; stat -c %a private; umask 22
cd /; pwd; cd - > /dev/null; cd .; cd ..; cd nowhere; echo $?
mkdir -p one/two; cd one/two; pwd | sed 's,.*/one,one,'; cd ../..; ls -d one/*
ln -s one/two linkdir; cd linkdir; pwd | sed 's,.*/,,'; pwd -P | sed 's,.*/,,'; cd -P ..; pwd | sed 's,.*/,,'
hash; hash -r; echo $?
times | wc -l
sh -c 'echo $0 $1 $#' name arg; echo 'echo $# $1' | sh -s x y
sh -c 'exit'; echo $?; sh -c 'exit 257'; echo $?; sh -ec 'false; echo no'; echo $?
sh nothing_there; echo $?; sh -c 'nothing_there'; echo $?; ./four; echo $?; ./one; echo $?
printf '#!/bin/cat\nthe text itself\n' > itself; chmod +x itself; sh -c ./itself 2>/dev/null | tail -n 1
printf 'echo without a line\n' > bare; chmod +x bare; ./bare
printf '#!/nothing\n' > bad; chmod +x bad; ./bad 2>/dev/null; echo $?
echo 'if true; then' > broken; sh broken 2>/dev/null; echo $?
echo 'echo )' > broken; sh broken 2>/dev/null; echo $?
. ./nothing_there 2>/dev/null; echo $?
echo 'x=sourced; return 3; echo no' > src; . ./src; echo $? $x
eval 'echo )' 2>/dev/null; echo $?
$(echo echo from a substitution); x=$(false); echo $?; echo $(exit 3) $?
x=$(printf 'trailing\n\n\n'); echo "[$x]"; echo $(cat nonexistent 2>/dev/null; echo $?)
echo "$(echo "nested \"quotes\" $(echo 'deep')")"
echo $(for i in 1 2 3; do echo $i; done) | tr ' ' +
cat /dev/null | { read x; echo $?; }; yes | head -n 1 > /dev/null; echo $?
seq 100000 | (head -n 1; cat > /dev/null)
seq 3 | while read i; do x=$i; done; echo ${x:-lost}
mkfifo q; (for i in 1 2 3; do echo $i; done > q) & while read i; do echo got $i; done < q; rm q
mkfifo q; exec 7<> q; echo kept >&7; read x <&7; echo $x; exec 7>&-; rm q
dd if=/dev/zero bs=100000 count=10 2>/dev/null | wc -c; dd if=/dev/zero bs=1 count=0 2>&1 | head -n 1
dd if=/dev/zero bs=64k count=40 2>/dev/null | md5sum
(yes x & p=$!; sleep 0.05; kill $p; wait $p) 2>/dev/null > /dev/null; echo $?
cat < /dev/zero | head -c 300000 | tr '\0' x | md5sum
sh -c 'while :; do :; done' & p=$!; sleep 0.1; kill $p; wait $p 2>/dev/null; echo $?
run-parts --test one; mkdir parts; printf '#!/bin/sh\necho part $1\n' > parts/01one; chmod +x parts/01one; run-parts -a x parts
ash -c 'echo ash'; busybox sh -c 'echo box'; busybox nothing_there; echo $?
which nothing_there; echo $?; test -x "$(which ls)"; echo $?
: ; true; false; echo $?; exit 7; echo no
