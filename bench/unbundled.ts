// The command, of modules one by one: a profile names a function by its file.
import { main } from '../bin/main.js';

main();
