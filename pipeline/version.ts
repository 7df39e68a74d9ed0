/** Version of the package; part of every stage's hash, so that a new version does not reuse an old one's results. */
export const version = "0.1.0";
