import { z } from "zod";
import { runsCode } from "./code-keys.ts";

/** Fields that every entry of the inventory has. */
export const nameField = z.string().regex(/^[A-Za-z0-9_-]+$/, "letters, digits, - and _ only").describe("Name of the target in tables and in the report.");
export const threadsField = z.int().min(1).optional().describe("Threads of the runtime; default all cores.");

/** Fields of every device behind ssh. */
export const sshFields = {
  name: nameField,
  host: z.string().regex(/^[^-\s]\S*$/, "a host as ssh takes it").describe("As for ssh: user@host, or an alias of ~/.ssh/config."),
  port: z.int().min(1).max(65535).optional().describe("Port, where ~/.ssh/config does not say it."),
  identity: z.string().min(1).optional().describe("Key file, where ~/.ssh/config or the agent does not have it."),
  sshConfig: z.string().min(1).optional().meta(runsCode("a ProxyCommand, LocalCommand or Match exec of that file runs on this machine")).describe("Another file in place of ~/.ssh/config."),
  threads: threadsField,
};
