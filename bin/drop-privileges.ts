// --username: what needed root has been opened, and the Guest shall run without.
import { readFileSync } from 'node:fs';
import { UserError } from '../lib/errors.js';

const bad = (username: string, why: string): UserError =>
  new UserError('ERR_LGUEST_USERNAME', `--username=${username}: ${why}`);

/** @throws UserError when there is no such user, or we are not root */
export function dropPrivileges(username: string): void {
  const { geteuid, setgroups, setgid, setuid } = process;
  if (!geteuid || !setgroups || !setgid || !setuid || geteuid() !== 0) {
    throw bad(username, 'only root can become another user');
  }
  const user = lookUp('/etc/passwd').find(([name]) => name === username);
  const [, , uid, gid] = user ?? [];
  if (uid === undefined || gid === undefined) throw bad(username, 'no such user in /etc/passwd');
  const member = ([, , , members]: readonly string[]): boolean => (members ?? '').split(',').includes(username);
  const groups = lookUp('/etc/group').filter(member);
  // Groups first: without root's user id, nothing of this is allowed any more.
  setgroups([gid, ...groups.map(([, , id]) => id ?? gid)].map(Number));
  setgid(Number(gid));
  setuid(Number(uid));
}

const lookUp = (file: string): string[][] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
