import { execa } from "execa";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../graph/error.ts";
import { transportOver } from "./connect.ts";
import type { TargetSettings } from "./kind.ts";
import { shellWord } from "../escape/shell.ts";
import type { Transport } from "./transport.ts";

type SshSettings = Pick<TargetSettings, "name" | "port" | "identity" | "sshConfig"> & { readonly host: string };

/** Path of the multiplexing socket: ssh adds 17 characters, and a socket's path has at most 104. */
const longestSocketPath = 80;

/**
 * A device behind the system's OpenSSH client: the user's ssh config, agent, jump hosts and known hosts count. Host keys are checked, nothing is asked,
 * one connection carries all commands. Throws UserError SSH_MISSING, SSH_UNREACHABLE, SSH_AUTH or SSH_HOST_KEY.
 */
export const sshTransport = async (settings: SshSettings, signal?: AbortSignal): Promise<Transport> => {
  const { host, port, identity, sshConfig } = settings;
  const folder = await mkdtemp(join(tmpdir().length < longestSocketPath - 20 ? tmpdir() : "/tmp", "es-"));
  const options = [
    ...(sshConfig === undefined ? [] : ["-F", sshConfig]), ...(port === undefined ? [] : ["-p", String(port)]), ...(identity === undefined ? [] : ["-i", identity]),
    "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3", "-o", "LogLevel=ERROR",
    "-o", "ControlMaster=auto", "-o", `ControlPath=${join(folder, "c")}`, "-o", "ControlPersist=60",
  ];
  const transport = transportOver({
    label: host,
    command: (argv) => ["ssh", ...options, "--", host, argv.map(shellWord).join(" ")],
    explain: (exitCode, stderr) => sshError(settings, exitCode, stderr),
    close: async () => {
      await execa("ssh", [...options, "-O", "exit", "--", host], { reject: false });
      await rm(folder, { recursive: true, force: true });
    },
  });
  try {
    await transport.run(["true"], { timeoutMs: 30_000, signal });
    return transport;
  } catch (error) {
    await transport.close();
    throw error;
  }
};

/** What ssh says, what it means, what to do; the first that fits. */
const causes: readonly (readonly [pattern: RegExp, code: string, meaning: string, nextStep: (host: string) => string])[] = [
  [/ssh: not found/, "SSH_MISSING", "there is no ssh program on this machine", () => "install OpenSSH (`sudo apt install openssh-client`)."],
  [/REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for .* has changed/i, "SSH_HOST_KEY", "its host key is not the one that is known: the device was set up anew, or this is another machine",
    (host) => `if you know why, remove the old key (\`ssh-keygen -R ${shellWord(hostOf(host))}\`) and connect once by hand (\`ssh ${shellWord(host)}\`).`],
  [/Host key verification failed|No .* host key is known/i, "SSH_HOST_KEY", "its host key is not known yet", (host) => `connect once by hand and compare the key: \`ssh ${shellWord(host)}\`.`],
  [/Permission denied|Too many authentication failures/i, "SSH_AUTH", "it does not accept this machine's keys", (host) => `copy your key there: \`ssh-copy-id ${shellWord(host)}\`.`],
  [/Could not resolve|Connection refused|timed out|No route to host|Network is unreachable|Connection closed by .* port/i, "SSH_UNREACHABLE", "it cannot be reached",
    (host) => `check that it runs and that \`ssh ${shellWord(host)}\` works; a Raspberry Pi needs ssh enabled (\`sudo raspi-config\`).`],
];

const sshError = ({ name, host }: SshSettings, exitCode: number | undefined, stderr: string): UserError => {
  const found = causes.find(([pattern]) => pattern.test(stderr));
  const said = stderr.trim().split("\n").filter((line) => !/^@+$/.test(line)).at(-1) ?? "";
  if (found) return new UserError(found[1], `Target "${name}" (${host}): ${found[2]}${said === "" ? "" : ` (ssh: ${said})`}.`, found[3](host));
  return new UserError("CONNECTION_LOST", `Target "${name}" (${host}): the connection broke${said === "" ? "" : ` (ssh: ${said})`}; ssh ended with ${exitCode ?? "a signal"}.`,
    "check power and network of the device (under-voltage restarts a Raspberry Pi), then run the command again: finished copies are kept.");
};

const hostOf = (host: string): string => host.slice(host.indexOf("@") + 1);
