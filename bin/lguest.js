#!/usr/bin/env node
// What npm links as `lguest`. The program is dist/bin/main.js, compiled from bin/main.ts.
import '../dist/bin/main.js';
