import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import { UserError } from "../graph/error.ts";
import { inputLimits } from "../input/limits.ts";
import { readTextFile } from "../input/read.ts";
import { sha256Of } from "../files/digest.ts";

/** Detached ed25519 signatures (RFC 8032), 64 raw bytes: what `openssl pkeyutl -sign -rawin` makes and `-verify` checks. */

/** sha256 of the public key (DER SubjectPublicKeyInfo): names a key without showing it. */
export const keyId = (key: KeyObject): string => sha256Of(publicOf(key).export({ format: "der", type: "spki" }));

export const signBytes = (bytes: Uint8Array, key: KeyObject): Buffer => sign(null, bytes, key);

export const isSignedBy = (bytes: Uint8Array, signature: Uint8Array, key: KeyObject): boolean => verify(null, bytes, publicOf(key), signature);

const publicOf = (key: KeyObject): KeyObject => (key.type === "private" ? createPublicKey(key) : key);

/** Reads a PEM file. Throws UserError KEY where it is no ed25519 key of the wanted kind. */
export const readKey = async (path: string, kind: "private" | "public"): Promise<KeyObject> => {
  const pem = await readTextFile(path, inputLimits.configBytes).catch((cause: unknown) => { throw badKey(path, kind, cause instanceof Error ? cause.message : "it cannot be read", cause); });
  let key: KeyObject;
  try {
    key = kind === "private" ? createPrivateKey(pem) : createPublicKey(pem);
  } catch (cause) {
    throw badKey(path, kind, "it is no such PEM key", cause);
  }
  if (key.asymmetricKeyType !== "ed25519") throw badKey(path, kind, `it is a key for ${key.asymmetricKeyType ?? "something else"}`);
  return key;
};

const badKey = (path: string, kind: string, reason: string, cause?: unknown): UserError =>
  new UserError("KEY", `${path} cannot be used as ed25519 ${kind} key: ${reason}.`,
    kind === "private" ? "make one with: openssl genpkey -algorithm ed25519 -out key.pem" : "take the public half: openssl pkey -in key.pem -pubout -out key.pub.pem", { cause });
