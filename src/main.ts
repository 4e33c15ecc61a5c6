import { runFromShell } from './cli/shell.js';

void runFromShell();
