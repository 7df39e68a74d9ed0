import { packTar } from "modern-tar";

/** A .tar of the files under `folder/`: sorted, no times, no owners. The same files give the same bytes. */
export const archiveOf = (folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> =>
  packTar([...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, body]) => ({
    header: { name: `${folder}/${path}`, size: body.length, type: "file" as const, mode: isProgram(path) ? 0o755 : 0o644, mtime: new Date(0), uid: 0, gid: 0, uname: "", gname: "" },
    body,
  })));

/** Shell scripts can be run from the unpacked folder. */
export const isProgram = (path: string): boolean => path.endsWith(".sh");
