printf 'name\tage\ttown\nann\t31\tOslo\nbob\t7\tRome\ncid\t102\tBern\ndee\t7\tOslo\n' > t
seq 1 40 > n; printf 'the quick brown fox\njumps over\n\nthe lazy dog\n' > f
sort t; sort -r t; sort -k2 t; sort -k2n t; sort -k2nr -k1 t; sort -t'	' -k3,3 -k1,1r t
sort -u -k3,3 t; sort -c n; sort -c t; echo $?; sort -cn n; echo $?; sort -b -f -d t | head -n 2
printf '10K\n2M\n1G\n5\n' | sort -h; printf 'v1.10\nv1.9\nv1.2\n' | sort -V; printf 'Mar\nJan\nFeb\n' | sort -M
printf '3 b\n1 a\n2 c\n' | sort -o sorted; cat sorted; printf 'b\0a\0' | sort -z | tr '\0' '\n'
sort -m n n | head -n 4; sort -s -k3,3 t; printf '1e3\n20\n' | sort -g
uniq -c f; uniq -d n; uniq -u n | wc -l; printf 'a 1\nb 1\nc 2\n' | uniq -f 1; printf 'ab\nac\n' | uniq -s 1 -w 1
printf 'A\na\n' | uniq -i
cut -f2 t; cut -f1,3 t; cut -f2- t; cut -c2-4 t; cut -c-3 t; cut -b1 t; cut -d' ' -f2 -s f; cut -d' ' -f1 f
tr 'a-z' 'A-Z' < f; tr -d aeiou < f; tr -s ' ' '\n' < f; tr -c 'a-z\n' _ < f; tr '[:upper:]' '[:lower:]' < t; tr -cd '[:digit:]' < n | wc -c
head -n 2 t n; head -n -38 n; head -c 10 f; head -q -n 1 t f; tail -n 2 t f; tail -n +39 n; tail -c +60 f; tail -q -n 1 t f; tail -3 n
paste t n | head -n 3; paste -d: t n | head -n 2; paste -s n | cut -c1-20; paste - - - < n | head -n 3
nl -ba f; nl -w3 -s: f; nl -v 10 -i 5 f
fold -w 7 f; fold -s -w 10 f; fold -b -w 5 f | head -n 3
expand -t 4 t; unexpand -a t | od -c | head -n 2; printf '        x\n' | unexpand; expand -i t | head -n 1
rev f; tac f; cat -n f; cat -e t; cat -A f | head -n 2; cat -v f | wc -c; cat -b f
comm n n | wc -l; printf 'a\nb\n' > l; printf 'b\nc\n' > r; comm l r; comm -12 l r; comm -3 l r; comm -23 l r
split -l 15 n part; ls part*; wc -l partaa partac; split -b 20 f bit; cat bit* | cmp - f; rm part* bit*
tsort << END
shirt tie
tie jacket
trousers shoes
trousers belt
belt jacket
END
cksum n; sum n; sum -s n; md5sum < n; sha1sum n f; sha256sum < /dev/null; sha512sum n; sha3sum -a 256 n; crc32 n f
echo bad > b; md5sum b n > sums; echo worse > b; md5sum -c sums 2>/dev/null; echo $?; md5sum -sc sums; echo $?
base64 f; base64 -w 20 f; base64 f | base64 -d; echo Zm9v | base64 -d; echo
uuencode f < f; uuencode -m f name; uuencode f name | uudecode -o - | cmp - f
od f | head -n 2; od -c f | tail -n 2; od -x f | head -n 1; od -A d -t x1 f | head -n 2; od -t u2 -N 6 f; od -j 4 -N 4 -c f; od -v -t o1 -w8 n | head -n 3
hexdump f | head -n 2; hexdump -C f; hexdump -n 5 -s 3 -C f; hexdump -e '4/1 "%02x " "\n"' f | head -n 2; hd f | head -n 1
xxd f | head -n 1; xxd -p f; xxd -l 4 -s 2 f; xxd -c 4 f | head -n 2; xxd f | xxd -r | cmp - f
strings -n 6 f; strings -o f | head -n 1; strings -t x f | head -n 1
grep the f; grep -c the f; grep -v the f; grep -n o f; grep -i THE f; grep -w fox f; grep -x 'jumps over' f; grep -l the f t; grep -L the f t
grep -o '[a-z]*o[a-z]*' f; grep -A 1 quick f; grep -B 1 lazy f; grep -C 1 over f; grep -m 1 the f; grep -e fox -e dog f; grep -h the f f; grep -H the f
grep -E '^(the|j)' f; grep -E 'o{1,2}[vx]' f; egrep 'a|z' t; fgrep -x 7 n; grep -F 'a.b' f; echo $?; grep -s x nothing; echo $?; grep '[[:digit:]]' f; echo $?
grep -q the f && echo found; printf 'fox\ndog\n' > p; grep -f p f; grep -r lazy . | sort; grep -rl the --include='f' . ; grep '' f | wc -l; grep '^$' f | wc -l; grep '\(o\).*\1' f
sed s/o/0/ f; sed s/o/0/g f; sed s/o/0/2 f; sed 's/\(.\)\(.\)/\2\1/' f; sed 's/[aeiou]/<&>/g' f; sed -n '/the/p' f; sed -n '$p;$=' f; sed 2q f
sed '/^$/d' f; sed '2,3d' f; sed '2!d' f; sed '/quick/,/^$/d' f; sed -e 1d -e 's/the/THE/' f; sed 's,over,/under/,' f; sed -n '1~10p' n; sed '0,/the/s//THE/' f
sed '1i\before' f; sed '1a after' f; sed '1c\changed' f; sed = f | sed 'N;s/\n/ /'; sed G f; sed -n '1!G;h;$p' f; sed 'N;P;D' f; sed '$!d' n; sed y/abc/ABC/ f
sed -E 's/(t)(h)e/\2\1e/' f; sed 's/T/x/I' f; sed 's/o/&\n/;P;D' f; sed -n 'l' t | head -n 2; sed ':a;s/^.\{1,5\}$/ &/;ta' l; sed 's/x*/-/g' l; sed -s -n '$p' f t; sed -n '/a/{s//b/;p}' t
sed -i.old s/the/a/ f; cat f; cat f.old; mv f.old f; sed 'r l' f | head -n 4; sed -n 'w out' f; cmp out f; sed --debug 2>/dev/null; echo $?; sed b f | wc -l; sed -n '2{p;q}' f; sed '2,$s/o/O/;T;s/O/0/' f
awk 1 f; awk '{print NF, $1}' f; awk 'END {print NR}' n; awk 'NR==2, NR==3' f; awk '/the/ {n++} END {print n}' f; awk -F'\t' '$2 > 10 {print $1, $2 * 2}' t; awk -v x=5 'BEGIN {print x + 1}'
awk 'BEGIN {printf "%d %5.2f %s|%-6s|%06d %x %o %c %e %g\n", 3.9, 3.14159, "s", "ab", 42, 255, 8, 65, 12345.678, 1e10}'
awk 'BEGIN {print length("abc"), substr("hello", 2, 3), index("hello", "l"), toupper("a") tolower("B"), sprintf("%03d", 7)}'
awk 'BEGIN {s = "a,b,c"; n = split(s, a, ","); for (i = n; i; i--) printf "%s ", a[i]; print n}'
awk 'BEGIN {s = "hello"; gsub(/l/, "L", s); print s; sub(/L/, "&&", s); print s; print match("foobar", /o+/), RSTART, RLENGTH}'
awk 'BEGIN {print 1 / 3, 2 ^ 10, 7 % 3, -7 % 3, int(-3.7), sqrt(16), exp(0), log(1), sin(0), cos(0), atan2(0, -1)}'
awk 'BEGIN {print 1e300 * 1e10, 0.1 + 0.2, 1e6, 1e-5, 123456789, 1234567890123, 0.1 + 0.7, 100 / 3}'
awk 'BEGIN {OFMT = "%.2f"; print 3.14159; CONVFMT = "%d"; a = 12.7; print (a "")}'
awk 'BEGIN {OFS = "-"; $3 = "c"; print; print NF; $0 = "x y z"; $2 = ""; print}'
awk 'BEGIN {RS = ""; FS = "\n"} {print NR ": " $1}' f; awk 'BEGIN {RS = ";"} {print}' << END
a;b;c
END
awk '{a[$3] = a[$3] " " $1} END {for (k in a) print k a[k]}' t | sort; awk 'BEGIN {a["x"] = 1; if ("x" in a) print "in"; delete a["x"]; print length(a)}'
awk 'BEGIN {a[1, 2] = 3; for (k in a) {split(k, p, SUBSEP); print p[1], p[2]}}'; awk 'BEGIN {while (i++ < 3) {if (i == 2) continue; print i}; do print "once"; while (0)}'
awk 'function f(a, b) {a[1] = 2; b = 3; return b * 2} BEGIN {x[1] = 1; print f(x), x[1]}'; awk 'BEGIN {getline; print "got " $0; getline x < "l"; print x; "echo piped" | getline y; print y}' < f
awk 'BEGIN {print "b\na" | "sort"; close("sort"); print "done"}'; awk 'BEGIN {print "to file" > "awkout"; close("awkout"); while ((getline z < "awkout") > 0) print z}'; awk 'BEGIN {system("echo from the system"); exit 3}'; echo $?
awk 'BEGIN {print ARGC, ARGV[1]}' one; awk 'BEGIN {print ENVIRON["X"]}'; X=env awk 'BEGIN {print ENVIRON["X"]}'; awk '{print FILENAME, FNR, NR}' l r; awk 'NR % 10 == 0 {next} {s += $1} END {print s}' n; awk '$1 ~ /^1/ && $1 !~ /2/' n | wc -l
awk 'BEGIN {print "a" < "b", 10 < 9, "10" < "9", 2 < 10; print 1 " " 2, 1 + "3x", !0, !"", !"a"; x = y = 2; print x++ + ++y, x, y, x ? "t" : "f"}'
awk 'BEGIN {srand(1); a = rand(); srand(1); print (a == rand()), srand(5)}'; awk 'BEGIN {printf "%s %s\n", "only one"}'; awk 'BEGIN {print substr("abc", 0), substr("abc", -1, 3), substr("abc", 2, 100)}'; awk 'BEGIN {print toupper(substr("word", 1, 1)) substr("word", 2)}'
awk -f - << 'END'
BEGIN { for (i = 1; i <= 20; i++) { s = ""; if (i % 3 == 0) s = "fizz"; if (i % 5 == 0) s = s "buzz"; print s == "" ? i : s } }
END
echo '1+2*3; 10/4; scale=3; 10/4; 2^200; sqrt(2); -7%3; 5==5; a=3; a*=2; a' | bc
printf 'define f(n) { if (n < 2) return 1; return n * f(n - 1); }\nf(25)\nfor (i = 0; i < 3; ++i) i\nobase=16; 255\nibase=2; 1010\n' | bc
echo 'scale=30; 4*a(1); e(1); l(10); s(2); c(2); j(0,1)' | bc -l; echo 'length(12345); scale(1.234); 7/0' | bc 2>/dev/null; echo '1.5 * 2.25; .1 + .2; 1 - 1.0; 10^-2' | bc
dc -e '3 4 + p 5 * p 2 / p c 2 3 ^ p 17 5 % p _5 2 * p 2 v 4 k 2 v p'; dc -e '10 o 16 i FF p 1 2 3 f z p [hello] p x' 2>/dev/null; echo '1 2 r - p' | dc; dc -e '[lap1+dsa5>x]sx 1sa lxx'
factor 1 2 12 97 1000000007 4294967297 600851475143; expr 1 + 2 '*' 3; expr '(' 1 + 2 ')' '*' 3; expr 5 '>' 3 '&' 1; expr 0 '|' 7; expr a = b; echo $?; expr match abc 'a.'; expr abc : '.*'; expr substr hello 2 2; expr x + 1; echo $?
seq 3; seq 2 2 8; seq 5 -2 1; seq -s, 4; seq -w 98 101; seq 0.1 0.1 0.5; seq 3 1; seq -f %03g 2 4; seq 1e3 1e3 3e3
date -u -d @86400 +%F_%T; date -u -d @1234567890; date -u -d '2000-02-29' +%a,%j,%U,%u,%y; date -u -d 200102030405.06 +%s; date -u -d '1999-12-31 23:59:59' '+%D %r %e %k %I %p %Z %z %n%%'; date -u -R -d @0; date -u -I -d @0; date -u -Iseconds -d @0; TZ=EST5EDT date -d @1000000000; TZ=CET-1CEST,M3.5.0,M10.5.0/3 date -d @1720000000; date -u -r old +%s 2>/dev/null; date -d nonsense 2>/dev/null; echo $?
touch -d '2010-05-06 07:08:09' dated; TZ=UTC date -r dated; TZ=UTC ls -l --full-time dated | cut -c30-; touch -r dated copied; [ copied -nt dated ]; echo $?; touch -t 202001020304.05 dated; stat -c %Y dated; touch -c nothing; ls nothing; TZ=UTC stat dated | grep Modify
cal 2 2024; cal -j 2 2023; cal -m 10 2023 2>/dev/null; cal 2021 | head -n 10; cal 13 2000; echo $?
tar cf a.tar f t n; tar tf a.tar; tar tvf a.tar | awk '{print $1, $3, $6}'; mkdir x; tar xf a.tar -C x; diff -r x/f f; tar xOf a.tar t; tar rf a.tar l 2>/dev/null; tar cf - f | tar tf -; tar czf a.tgz f t; gunzip -c a.tgz | tar t; tar cjf a.tbz f; tar tjf a.tbz; tar xf a.tgz -C x; tar cf e.tar --exclude=t f t n; tar tf e.tar; rm -r x *.tar *.tgz *.tbz
mkdir -p d/e; echo deep > d/e/file; ln -s e/file d/soft; ln d/e/file d/hard; tar cf a.tar d; rm -r d; tar xf a.tar; cat d/soft d/hard; readlink d/soft; stat -c %h d/hard; rm -r d a.tar; tar xf nothing.tar 2>/dev/null; echo $?; echo junk > bad.tar; tar tf bad.tar 2>/dev/null; echo $?
gzip -9 < n | wc -c; gzip -1 < n | gunzip | cmp - n; gzip -c n > n.gz; gzip -l n.gz | tail -n 1 | awk '{print $2}'; zcat n.gz | tail -n 1; gunzip -t n.gz; echo $?; gzip -d -k n.gz 2>/dev/null; echo $?; echo junk > j.gz; gunzip j.gz 2>/dev/null; echo $?; gunzip -c j.gz 2>/dev/null; cp n m; gzip m; ls m*; gunzip m.gz; cmp m n; rm -f *.gz m
bzip2 -c n | bzcat | cmp - n; bzip2 -9 < n | wc -c; cp n m; bzip2 m; ls m*; bunzip2 m.bz2; cmp m n; echo junk > j.bz2; bunzip2 -c j.bz2 2>/dev/null; echo $?; rm -f m *.bz2; lzop -c n 2>/dev/null | lzop -dc | cmp - n
printf '\375\067\172\130\132\000\000\004' | xzcat 2>/dev/null; echo $?; seq 10000 | gzip -c | zcat | md5sum; seq 50000 | bzip2 | bunzip2 | md5sum; head -c 200000 /dev/zero | gzip | wc -c; head -c 200000 /dev/zero | bzip2 | wc -c
printf 'f\nt\n' | cpio -o -H newc 2>/dev/null > c.cpio; cpio -t < c.cpio 2>/dev/null; mkdir y; cd y; cpio -i < ../c.cpio 2>/dev/null; cmp f ../f; cd ..; rm -r y; find f t | cpio -o -H newc 2>/dev/null | cpio -tv 2>/dev/null | awk '{print $1, $NF}'; mkdir z; echo f | cpio -p z 2>/dev/null; cmp z/f f; rm -r z c.cpio
ar -t nothing.a 2>/dev/null; echo $?; printf '!<arch>\nmember/         0           0     0     100644  6         `\nhello\n' > l.a; ar t l.a; ar p l.a member; ar x l.a; cat member
cp f g; diff f g; echo changed >> g; diff f g; diff -u f g | tail -n +3; diff -q f g; diff -b f g; diff -i f t > /dev/null; echo $?; diff -U 0 f g | tail -n +3; diff -r . . ; diff -N f nothing | head -n 2; diff f nothing 2>/dev/null; echo $?; diff -s f f; diff -w f g; diff -a f g | wc -l
diff -u f g > fg.patch; patch -p0 f < fg.patch; cmp f g; patch -R f < fg.patch; cmp f g; patch --dry-run f < fg.patch; echo garbage | patch f 2>/dev/null; echo $?; patch -N f < fg.patch > /dev/null; cmp f g; patch -R f < fg.patch > /dev/null
cmp f g; cmp -s f g; echo $?; cmp -l f t 2>&1 | head -n 2; cmp f f; cmp f nothing 2>/dev/null; echo $?; cmp f f 3 3
cat > ed.script << 'END'
1,2p
/lazy/s/lazy/active/p
$a
appended
.
1d
w ed.out
q
END
ed f < ed.script; cat ed.out; printf '%s\n' 'g/o/p' 'q' | ed -s f 2>/dev/null; printf '2\n' | ed -s f
wc f; wc -l f t; wc -w f; wc -c f n t; wc -L f; wc < f; wc -l < /dev/null; wc nothing f 2>/dev/null; echo $?
ls -1; ls -a | head -n 2; ls -d .; ls -F | tail -n 3; ls -p | tail -n 2; ls -r | head -n 3; ls -S | head -n 2; ls -l f | cut -c1-10; ls -s f > /dev/null; ls -C -w 40; ls -x -w 30 | head -n 2; ls -Q f; ls f t nothing 2>/dev/null; echo $?; ls -1t dated copied; ls --color=never -1 f
mkdir -p tree/a/b tree/c; touch tree/a/1 tree/a/b/2 tree/c/3; chmod 700 tree/c; chmod 600 tree/c/3; find tree | sort; find tree -type d | sort; find tree -name '[12]' | sort; find tree -maxdepth 1 | sort; find tree -mindepth 2 -type f | sort; find tree -perm 600; find tree -path '*b*' | sort; find tree -name b -prune -o -type f -print | sort; find tree ! -type d | sort
find tree -empty -type f | sort; find tree -size 0 -type f | wc -l; find tree -newer dated | wc -l; find tree -type f -exec echo {} + | wc -w; find tree -type f -exec basename {} \; | sort; find tree -depth | tail -n 1; find tree -iname A; find tree -regex '.*/[0-9]' | sort; find tree -links 3 -type d; find tree -type f -o -name c | sort; find tree -name 2 -print0 | tr '\0' '\n'; find tree -type f -delete; find tree | sort; find nothing 2>/dev/null; echo $?; find tree -quit | wc -l; find tree \( -name a -o -name c \) -a -type d | sort; find tree -user 0 > /dev/null; find tree -mtime 0 | wc -l
cp -r tree copy; diff -r tree copy; cp -a tree/c copy2; stat -c %a copy2; cp -l f hardcopy; stat -c %h f; rm hardcopy; cp -s f softcopy; readlink softcopy; cp -d softcopy soft2; readlink soft2; cp -L softcopy real; test -L real; echo $?; cp f t tree; ls tree; cp f nothing/x 2>/dev/null; echo $?; cp tree x 2>/dev/null; echo $?; cp -p dated kept; stat -c %Y kept; cp -u f tree/f; cp -i f tree/f < /dev/null 2>/dev/null; rm softcopy soft2
mv tree/f tree/moved; ls tree; mv tree/moved tree/t copy; ls copy; mv -n f t; wc -l t; mv copy copied2; ls copied2; mv nothing x 2>/dev/null; echo $?; mv copied2 copied2/a 2>/dev/null; echo $?; mkdir full; touch full/x; mkdir over; mkdir over/full; touch over/full/y; mv full over 2>/dev/null; echo $?; mv -f over/full/y y; ls over/full
rm -r copied2 copy2; rm tree 2>/dev/null; echo $?; rmdir tree 2>/dev/null; echo $?; rm -f nothing; mkdir -p p/q/r; rmdir -p p/q/r; ls -d p 2>/dev/null; echo n | rm -i f 2>/dev/null; ls f; echo y | rm -i y 2>/dev/null; ls y 2>/dev/null; mkdir -m 711 mode; stat -c %a mode; mkdir mode 2>/dev/null; echo $?; rm -d mode 2>/dev/null; rmdir mode 2>/dev/null; rmdir nothing 2>/dev/null; echo $?
chmod 4755 n; stat -c '%a %A' n; chmod a-s,o= n; stat -c %A n; chmod u=rwx,g=u,o+r n; stat -c %a n; chmod -R g-w over; stat -c %a over/full; chmod +t over; stat -c %A over; chmod 8 n 2>/dev/null; echo $?; chmod 644 n; chmod -v 600 n; chmod -c 600 n; chmod 644 n; chmod nothing 644 2>/dev/null; echo $?; chmod X n 2>/dev/null; stat -c %a n
ln -s f s1; ln -sf t s1; readlink s1; ln s1 s2; readlink -f s1 | sed 's,.*/,,'; ln f s1 2>/dev/null; echo $?; ln -s nowhere dangling; cat dangling 2>/dev/null; echo $?; test -e dangling; echo $?; readlink -f dangling | sed 's,.*/,,'; ln -s a b c nothing 2>/dev/null; echo $?; ln -sn over o; ln -sfn tree o; readlink o; ls -l s1 | sed 's/.*s1/s1/'; rm s1 s2 dangling o; ln -s self self; cat self 2>/dev/null; echo $?; rm self
truncate -s 10 tr; wc -c tr; truncate -s +5 tr; truncate -s 3 tr; wc -c tr; truncate -c -s 5 nothing; ls nothing 2>/dev/null; fallocate -l 5000 fa; wc -c fa; fallocate -l 100 -o 6000 fa; wc -c fa; od fa | head -n 3; shred -u tr; ls tr 2>/dev/null; dd if=/dev/zero of=sparse bs=1 count=1 seek=100000 2>/dev/null; wc -c sparse; md5sum sparse; rm fa sparse
dd if=n of=o1 bs=7 2>/dev/null; cmp n o1; dd if=n bs=10 skip=1 count=2 2>/dev/null; dd if=n of=o1 bs=4 seek=1 count=1 conv=notrunc 2>/dev/null; head -n 6 o1; printf abcd | dd conv=ucase 2>/dev/null; printf abcd | dd conv=swab 2>/dev/null; echo; dd if=n bs=5 count=1 conv=sync 2>/dev/null | od -c; dd if=n of=/dev/null bs=50 2>&1 | head -n 2; dd if=nothing 2>/dev/null; echo $?; printf 'x%.0s' 1 2 3 | dd bs=1 iflag=fullblock 2>/dev/null; echo; rm o1
install -d inst/a; install -m 640 f inst/a/g; stat -c %a inst/a/g; install f t inst; ls inst; install -D f inst/b/c; ls inst/b; rm -r inst; mktemp -u tmp.XXXXXX | wc -c; mktemp -d dir.XXXXXX | cut -c1-4; rm -r dir.*; realpath over/../f | sed 's,.*/,,'; realpath nothing/x 2>/dev/null; echo $?; basename /a/b/; basename a.c .c; basename /; dirname /a/b/; dirname a; dirname /
mke2fs -F -q img 2>/dev/null; truncate -s 200k img; mke2fs -F img > /dev/null 2>&1; echo $?; wc -c img; od -An -tx2 -j 1080 -N 2 img; truncate -s 1440k dos; mkdosfs dos > /dev/null 2>&1; echo $?; od -An -tx1 -j 510 -N 2 dos; truncate -s 64k swap; mkswap swap > /dev/null 2>&1; tail -c 10 swap; echo; fdisk -l dos 2>/dev/null | head -n 1 | cut -c1-9; rm -f img dos swap
ipcalc -b 10.1.2.3/20; ipcalc -n 10.1.2.3/20; ipcalc -m 10.1.2.3; ipcalc -p 10.0.0.0 255.255.240.0; mkpasswd -m md5 -S abcdefgh secret; mkpasswd -m sha256 -S abcdefgh secret; mkpasswd -m sha512 -S abcdefgh secret; ascii | tail -n 1; echo -n x | ts %H | wc -c; clear | od -c | head -n 1; reset > /dev/null; echo $?; stty < /dev/null 2>/dev/null; echo $?; tty; logname > /dev/null 2>&1; yes | head -c 4; printf 'a\r\nb\r\n' | dos2unix | od -c; printf 'a\nb\n' | unix2dos | od -c; dos2unix -u < l | cmp - l; usleep 1; nproc > /dev/null; less f | head -n 1; more f | head -n 1; watch 2>/dev/null; echo $?
