import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

const sshdPath = "/usr/sbin/sshd";

/** Why there can be no sshd here; undefined where there can. Tests that skip print it. */
export const noSshd = (): string | undefined => (existsSync(sshdPath) ? undefined : "SKIPPED: no sshd here (sudo apt install openssh-server)");

/** A real sshd on loopback, with its own port, host key, client key and known hosts. */
export interface LoopbackDevice {
  readonly folder: string;
  readonly port: number;
  /** ssh_config of the client. */
  readonly sshConfig: string;
  /** $HOME-like folder of the device: its cache and its temporary files. */
  readonly home: string;
  readonly host: string;
  /** Ends the connections that are open now, as pulling a cable does, and lets new ones in. */
  cutConnections(): Promise<void>;
  /** Another host key, as after a new installation. */
  changeHostKey(): Promise<void>;
  stop(): Promise<void>;
}

/** `env` is the environment of every command on the device; PATH there may begin with programs of the test. */
export const startLoopbackDevice = async (env: Readonly<Record<string, string>> = {}): Promise<LoopbackDevice> => {
  const folder = await mkdtemp(join(tmpdir(), "edgestill-sshd-"));
  const home = join(folder, "home");
  await mkdir(home);
  for (const key of ["host_key", "client_key", "other_key"]) run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(folder, key));
  await writeFile(join(folder, "authorized_keys"), await readFile(join(folder, "client_key.pub")));
  await mkdir("/run/sshd", { recursive: true }).catch(() => undefined);
  const port = await freePort();
  const pidFile = join(folder, "sshd.pid");
  const variables = { HOME: home, XDG_CACHE_HOME: join(home, "cache"), TMPDIR: home, ...env };
  await writeFile(join(folder, "sshd_config"), [
    `Port ${port}`, "ListenAddress 127.0.0.1", `HostKey "${folder}/host_key"`, `PidFile "${pidFile}"`, `AuthorizedKeysFile "${folder}/authorized_keys"`, "PasswordAuthentication no",
    "KbdInteractiveAuthentication no", "PermitRootLogin prohibit-password", "UsePAM no", "StrictModes no", "LogLevel VERBOSE", "MaxStartups 100",
    `SetEnv ${Object.entries(variables).map(([name, value]) => `"${name}=${value}"`).join(" ")}`, "",
  ].join("\n"));
  const sshConfig = join(folder, "ssh_config");
  await writeFile(sshConfig, [
    "Host *", `  Port ${port}`, `  IdentityFile "${folder}/client_key"`, "  IdentitiesOnly yes", `  UserKnownHostsFile "${folder}/known_hosts"`, "  StrictHostKeyChecking yes", "",
  ].join("\n"));
  await writeFile(join(folder, "known_hosts"), `[127.0.0.1]:${port} ${(await readFile(join(folder, "host_key.pub"), "utf8")).trim()}\n`);
  const start = (): void => run(sshdPath, "-f", join(folder, "sshd_config"), "-E", join(folder, "sshd.log"));
  const stopServer = async (): Promise<void> => {
    const pid = Number(await readFile(pidFile, "utf8").catch(() => "0"));
    if (pid > 0) process.kill(pid);
    await rm(pidFile, { force: true });
  };
  start();
  await waitFor(() => existsSync(pidFile));
  return {
    folder, port, sshConfig, home, host: `${userInfo().username}@127.0.0.1`,
    cutConnections: async () => {
      const server = Number(await readFile(pidFile, "utf8"));
      for (const pid of childrenOf(server)) process.kill(pid, "SIGKILL");
    },
    changeHostKey: async () => {
      await stopServer();
      for (const end of ["", ".pub"]) await rm(join(folder, `host_key${end}`));
      run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(folder, "host_key"));
      await new Promise((resolve) => setTimeout(resolve, 200));
      start();
      await waitFor(() => existsSync(pidFile));
    },
    stop: async () => {
      await stopServer();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const childrenOf = (pid: number): number[] => spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" }).stdout.split("\n").filter((line) => line !== "").map(Number);

const run = (program: string, ...args: string[]): void => {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
};

const freePort = (): Promise<number> => new Promise((resolve) => {
  const server = createServer();
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    server.close(() => resolve(port));
  });
});

export const waitFor = async (condition: () => boolean | Promise<boolean>, timeoutMs = 5000): Promise<void> => {
  const end = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error("waited too long");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
};
