export { sha256File, sha256Of } from "../files/digest.ts";
