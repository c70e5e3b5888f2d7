#!/usr/bin/env node
// What npm links as `lguest`. The program is compiled from bin/main.ts, and bundled with what it needs.
import '../dist/bundle/main.cjs';
