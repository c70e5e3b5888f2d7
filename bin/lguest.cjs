#!/usr/bin/env node
// What npm links as `lguest`. The program is compiled from bin/main.ts, and bundled with what it needs. CommonJS: Node's way to run
// an ES module, and to get from there to the bundle, takes 6 ms more.
'use strict';
const { join } = require('node:path');
const { main } = require('../dist/bundle/main.cjs');

main({
  program: join(__dirname, '../dist/bundle/program.cjs'),
  interpreter: join(__dirname, '../dist/switcher/interpreter/interpreter.wasm'),
});
