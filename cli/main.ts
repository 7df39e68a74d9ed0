#!/usr/bin/env node
import { runWatched } from "./watcher.ts";

/** Words that only print: no model is opened, so that no process of its own is needed. */
const prints: ReadonlySet<string> = new Set(["--help", "-h", "help", "--version", "-V", "init"]);

const words = process.argv.slice(2);
if (words.length === 0 || words.some((word) => prints.has(word))) await import("./command-line.ts").then(({ runCommandLine }) => runCommandLine());
else await runWatched(words);
