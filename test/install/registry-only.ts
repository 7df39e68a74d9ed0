import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";

export interface RegistryProxy {
  readonly url: string;
  /** Connections that were let through. */
  connections: number;
  /** Hosts that were asked for and are not the registry. */
  readonly refused: string[];
  close(): void;
}

/** A proxy on this machine that connects to `host` and to nothing else. */
export const registryOnly = async (host: string): Promise<RegistryProxy> => {
  const server = createServer((request, response) => {
    proxy.refused.push(request.url ?? "?");
    response.writeHead(403).end();
  });
  const proxy: RegistryProxy = { url: "", connections: 0, refused: [], close: () => { server.closeAllConnections(); server.close(); } };
  server.on("connect", (request, socket, head) => {
    const [name, port] = (request.url ?? "").split(":");
    socket.on("error", () => socket.destroy());
    if (name !== host) {
      proxy.refused.push(name ?? "?");
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      return;
    }
    proxy.connections++;
    const upstream = connect(Number(port), name, () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on("error", () => socket.destroy());
    socket.on("close", () => upstream.destroy());
  });
  await new Promise<void>((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  return Object.assign(proxy, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
};
