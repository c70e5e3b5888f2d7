#!/usr/bin/env node
// What npm links as `lguest`. The program is compiled from bin/main.ts, and bundled with what it needs.
import { fileURLToPath } from 'node:url';
import { main } from '../dist/bundle/main.cjs';

main(fileURLToPath(new URL('../dist/bundle/program.cjs', import.meta.url)));
