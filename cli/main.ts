#!/usr/bin/env node
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ChildEnd } from "./watcher.ts";

/** Words of commands that only print or write a text: no model is opened, so that they need no process of their own. */
const printing: ReadonlySet<string> = new Set(["--help", "-h", "help", "--version", "-V", "init"]);

const words = process.argv.slice(2);
if (words.length === 0 || words.some((word) => printing.has(word))) await import("./command-line.ts").then(({ runCommandLine }) => runCommandLine());
else {
  // started before anything else is loaded here: the rest of this process' start takes no time from the command
  const entry = fileURLToPath(new URL(`./watched.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, entry, ...words], { stdio: ["inherit", "inherit", "inherit", "pipe", "pipe", "pipe"] });
  const ended = new Promise<ChildEnd>((resolve) => {
    child.once("error", (error) => { resolve({ exitCode: null, signal: null, error }); }).once("exit", (exitCode, signal) => { resolve({ exitCode, signal }); });
  });
  await import("./watcher.ts").then(({ watch }) => watch(child, ended));
}
