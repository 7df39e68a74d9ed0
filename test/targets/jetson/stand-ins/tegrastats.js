// Stand-in, not a device: prints lines of tegrastats as boards of each JetPack generation do, until it is stopped.
import { appendFileSync } from "node:fs";
import { tegrastatsLines } from "./lines.js";

if (process.env.STAND_IN_LOG) appendFileSync(process.env.STAND_IN_LOG, `tegrastats ${process.argv.slice(2).join(" ")}\n`);
const line = tegrastatsLines[process.env.STAND_IN_BOARD ?? "orin-nano"];
const throttled = process.env.STAND_IN_THROTTLE === "1";
let count = 0;
const print = () => process.stdout.write(`${throttled && count++ % 2 === 1 ? line.replace(/GR3D_FREQ [^ ]+/, "GR3D_FREQ 99%@[510]") : line}\n`);
print();
setInterval(print, 20);
