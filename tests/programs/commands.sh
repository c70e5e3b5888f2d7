true
false
echo one two three
echo -n no newline; echo
echo -e 'tab\there\nline'
printf '%s|%5d|%-5s|%05.2f|%x|%o|%c\n' text 42 left 3.14159 255 8 z
printf '%d %i %u\n' 1 -2 3
printf '%b\n' 'a\tb'
seq 1 5
seq 10 -3 0
seq 0.5 0.25 1.5
seq -w 8 11
expr 6 \* 7
expr 17 / 5
expr 17 % 5
expr length "hello world"
expr substr abcdef 2 3
expr index abcdef d
expr abc : 'a\(.\)c'
expr 3 '<' 4
expr 1 = 2
test 1 -lt 2
test -d .
test -e nothing
[ abc = abc ]
[ -z "" ] && echo empty
[ 5 -ge 5 -a 3 -ne 4 ]
pwd | sed 's,.*/,,'
mkdir a b c
mkdir a
mkdir -p d/e/f
rmdir c
rmdir d
ls
ls -a d
ls -1 d/e
ls nothing
touch a/one a/two b/three
ls -R
echo contents > a/one
cat a/one
cat a/one a/two nothing
echo more >> a/one
cat a/one
wc a/one
wc -l < a/one
cp a/one a/copy
cmp a/one a/copy && echo same
cp -r a z
diff -r a z && echo equal
echo different > z/one
diff a/one z/one
diff -u a/one z/one | tail -n +3
mv z/one z/uno
ls z
mv z y
ls
rm y/uno
rm nothing
rm -f nothing
rm -r y
ls y
ln a/one a/hard
ln -s one a/soft
ls -l a/soft | sed 's/.*soft/soft/'
cat a/soft
readlink a/soft
readlink a/one
stat -c '%n %s %h %F' a/one a/soft b
stat -c '%a' a/one
chmod 640 a/one; stat -c '%a %A' a/one
chmod u+x,g-r a/one; stat -c '%a' a/one
chmod 644 a/one
test -x a/one
test -L a/soft
ln -s loop loop; cat loop
realpath a/soft | sed 's,.*/,,'
basename /usr/lib/file.so .so
dirname /usr/lib/file.so
find . -type f | sort
find . -name 'o*' | sort
find a -type l
find . -type d -empty | sort
find a -type f -size -1k | sort
find a -name one -exec cat {} \;
find . -type f | xargs ls | sort | uniq
seq 1 20 > n
head -n 3 n
head -c 7 n
tail -n 2 n
tail -n +19 n
tail -c 5 n
sort -r n | head -n 2
sort -n -r n | head -n 2
printf 'b 2\na 1\nc 3\na 0\n' > t
sort t
sort -k2n t
sort -u -k1,1 t
cut -d' ' -f2 t
cut -c1 t
tr a-z A-Z < t
tr -d ' ' < t
tr -s '\n ' ' ' < t; echo
uniq -c n | head -n 2
printf 'x\nx\ny\n' | uniq -c
printf 'x\nx\ny\n' | uniq -d
paste n n | head -n 2
paste -s -d, n
nl t
tac t
rev t
fold -w 5 n | head -n 4
echo 'a very long line that is to be folded somewhere' | fold -s -w 20
expand t
tee copy1 copy2 < t > /dev/null; cmp copy1 copy2; cmp copy1 t
rm copy1 copy2
grep a t
grep -v a t
grep -c a t
grep -n '^c' t
grep -E '(a|b) [12]' t
grep -i A t
grep -q zzz t
grep -o '[0-9]' t | tr '\n' ,
grep -r contents a | sort
grep -l contents a/* | sort
grep -w 1 n
grep -F . n
sed 's/a/X/' t
sed -n 2p t
sed '1,2d' t
sed -e 's/ /:/' -e '/c/i before c' t
sed 's/\(.\) \(.\)/\2 \1/' t
sed -n '/b/,/c/p' t
sed '$!N;s/\n/+/' n | head -n 3
sed y/abc/xyz/ t
sed -i s/b/B/ t; cat t
awk '{print $2, $1}' t
awk '{s += $2} END {print s}' t
awk -F: '{print NF}' t
awk 'BEGIN {for (i = 0; i < 5; i++) printf "%d ", i * i; print ""}'
awk 'BEGIN {print substr("hello", 2, 3), length("four"), index("abc", "c"), toupper("up")}'
awk '{a[$1]++} END {for (k in a) print k, a[k]}' t | sort
awk 'BEGIN {printf "%.6f %.3e %g\n", 3.14159265, 12345.678, 0.0001}'
awk 'BEGIN {x = "a b c"; n = split(x, p); print n, p[3]; gsub(/b/, "B", x); print x}'
awk 'function f(n) {return n < 2 ? 1 : n * f(n - 1)} BEGIN {print f(10)}'
awk 'BEGIN {while (("echo one; echo two" | getline line) > 0) print "got", line}'
awk 'NR % 5 == 0' n
echo '2 + 3 * 4' | bc
echo 'scale=20; 1/7' | bc
echo '2^100' | bc
echo 'scale=15; s(1); c(1); l(2); e(1)' | bc -l
dc -e '10 3 / p 2 64 ^ p'
factor 360 97 1001
md5sum n t
sha1sum n
sha256sum n
sha512sum n
sha3sum n
crc32 n
md5sum n > sums; md5sum -c sums
base64 n | head -n 2
base64 n | base64 -d | cmp - n
uuencode n < n | uudecode -o - | cmp - n
od -c t
od -An -tx1 t
od -An -td2 -N 8 n
hexdump -C t
xxd t
xxd -p t | xxd -r -p | cmp - t
strings -n 4 a/one
gzip -c n | gunzip -c | cmp - n
gzip -k n; gzip -t n.gz; zcat n.gz | wc -l; rm n.gz
bzip2 -c n | bunzip2 -c | cmp - n
echo lzma | lzma -c 2>/dev/null | unlzma -c 2>/dev/null
tar cf all.tar a b; tar tf all.tar | sort
mkdir out; tar xf all.tar -C out; diff -r a out/a
tar czf all.tgz a; tar tzf all.tgz | wc -l
rm -r out all.tar all.tgz
find a -type f | sort | cpio -o -H newc 2>/dev/null | cpio -t 2>/dev/null
find a -type f | sort | cpio -o -H newc 2>/dev/null | wc -c
dd if=/dev/zero of=zeroes bs=1024 count=5 2>/dev/null; wc -c zeroes
dd if=n bs=1 skip=3 count=4 2>/dev/null | od -c
dd if=zeroes of=zeroes2 bs=512 seek=2 count=1 conv=notrunc 2>/dev/null; wc -c zeroes2
truncate -s 100 zeroes; wc -c zeroes
rm zeroes zeroes2
head -c 20 /dev/zero | od -An -tx1
head -c 100 /dev/urandom | wc -c
cat /dev/null
echo x > /dev/full
date -u -d @0
date -u -d @1000000000 '+%Y-%m-%d %H:%M:%S %j %a %b'
date -u -d '2024-02-29 12:00:00' +%s
cal 1 2000
cal 9 1752
touch -d '2001-02-03 04:05:06' old; TZ=UTC stat -c '%y' old
test old -ot n && echo older
find . -newer old -name n
env -i A=1 B=2 env | sort
env -i sh -c 'echo ${A:-unset} ${B-none}'
id -u > /dev/null
uname -s
hostname > /dev/null
nproc > /dev/null
tty < /dev/null
which sh > /dev/null
sleep 0.01
usleep 1000
time -f '' true
timeout 5 echo in time
timeout 0.2 sleep 5
echo a | tee /dev/stderr
cat /dev/stdin < t
echo script on stdin | sh -c 'cat /dev/fd/0'
echo to stdout > /dev/stdout
awk 'BEGIN {x = 1; while (x < 1000) x *= 1.5; print x, x / 3, int(x), x % 7}'
yes | head -n 3
yes abc | head -c 10; echo
seq 1 1000 | wc -lc
seq 1 100000 | tail -n 1
cat n | cat | cat | cat | wc -l
(echo sub; exit 3); echo $?
{ echo group; echo two; } | wc -l
x=5; echo $x $((x * 2)) ${x}y
x=hello; echo ${#x} ${x#he} ${x%lo} ${x%%l*} ${x##*l} ${x/l/L} ${x//l/L} ${x:1:3}
echo $((1 << 10)) $((0xff)) $((7 / 2)) $((-7 / 2)) $((7 % 3)) $((1 ? 2 : 3)) $((5 > 3 && 2))
echo $((2147483647 + 1)) $((9223372036854775807 + 1))
i=0; while [ $i -lt 5 ]; do i=$((i + 1)); [ $i = 3 ] && continue; echo $i; done
for f in a/*; do echo $f; done
for i in 1 2 3; do [ $i = 2 ] && break; echo $i; done
until [ -e made ]; do touch made; done; ls made
case hello in h*) echo h;; *) echo other;; esac
case x in [a-c]) echo abc;; [!a-c]) echo not;; esac
f() { echo "f: $1 $# $*"; return 7; }; f one two; echo $?
f() { local v=in; echo $v; }; v=out; f; echo $v
fact() { [ $1 -le 1 ] && echo 1 || echo $(($1 * $(fact $(($1 - 1))))); }; fact 8
set -- a "b c" d; echo $# "$2"; shift; echo $1
set -- a "b c" d; for i in "$@"; do echo "<$i>"; done
echo "$(echo nested $(echo deeper))"
echo `echo old style`
echo {1,2}
echo a* n?
echo "quoted *" 'single $x' \$escaped
unset nothing; echo ${nothing:-default} ${nothing:=set} $nothing
(unset v; echo ${v:?is missing}) 2>&1 | sed 's/.*v: /v: /'
read a b < t; echo "$b,$a"
echo 1 2 3 | while read a b; do echo $b; done
IFS=:; set -- $(echo a:b:c); echo $2
echo out; echo err >&2
(echo out; echo err >&2) 2>/dev/null
(echo out; echo err >&2) 2>&1 >/dev/null
exec 3> fd3; echo three >&3; exec 3>&-; cat fd3
(exec 4< t; read x <&4; read y <&4; echo $y)
command -v echo
type cd
alias ll='ls -l'; alias ll
trap 'echo trapped' EXIT; (trap 'echo inner' EXIT); trap - EXIT
sh -c 'trap "echo got usr1" USR1; kill -USR1 $$; echo after'
sh -c 'kill -TERM $$'; echo $?
sh -c 'kill -KILL $$'; echo $?
sh -c 'trap "echo term; exit 5" TERM; kill -TERM $$; sleep 1'; echo $?
sh -c 'trap "" INT; kill -INT $$; echo alive'
kill -l | head -n 1
kill -l 9
kill -0 $$ && echo here
kill -0 99999999
sleep 5 & kill $!; wait $! 2>/dev/null; echo $?
true & wait $!; echo $?
(exit 9) & wait $!; echo $?
for i in 1 2 3 4; do (echo $i > job$i) & done; wait; cat job*
for i in 1 2 3 4 5 6; do (seq 1 2000 | md5sum) & done | sort | uniq -c | sed 's/^ *//'; wait
(sleep 0.3; echo later) & echo first; wait
mkfifo pipe; (echo through > pipe &); cat pipe
mkfifo p2; (cat n > p2 &); md5sum < p2
rm pipe p2
sh -c 'exit 300'; echo $?
sh -c 'cat /nonexistent'; echo $?
nonexistent-command
./n
chmod +x t; ./t 2>/dev/null; echo $?
printf '#!/bin/sh\necho script "$@"\n' > s; chmod +x s; sh ./s x y
echo "echo sourced" > src; . ./src
eval 'echo evaluated $((3 * 3))'
umask 027; touch masked; stat -c %a masked; umask 022
cd a && ls | wc -l
cd nowhere
(cd b; ls); ls b
xargs -n 2 echo < n | head -n 2
echo 'a b c' | xargs -n 1 echo item
seq 1 5 | xargs -I{} echo '<{}>'
seq 1 3 | (read x; echo $x; cat)
seq 3 | sort -R | wc -l
seq 1 50 | shuf | sort -n | cmp - n
f=$(mktemp tmp.XXXXXX); echo ${#f}; rm $f
wc -c n t | tail -n 1
du -s a > /dev/null
sync
vi --help 2>&1 | head -n 1 | cut -c1-7
busybox | head -n 1 | cut -c1-7
ipcalc -n 192.168.1.77 255.255.255.0
dos2unix < t | cmp - t
unix2dos < t | od -c | head -n 1
ed -s t < /dev/null 2>/dev/null; echo $?
printf '1,2p\nq\n' | ed t
echo 'a,b' | tr , '\n' | sort -r
patch --help 2>&1 | head -n 1 | cut -c1-7
cp n m; sed -i 5d m; diff n m > d1; patch m < d1; cmp n m
install -m 600 n inst; stat -c %a inst
link n linked; stat -c %h n; unlink linked; stat -c %h n
chattr nothing 2>/dev/null; echo $?
fsync n
rm -r d; ls
find . -type f | wc -l
find . | sort | md5sum
