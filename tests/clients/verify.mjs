// Verifies DKIM signatures with mailauth, offline. Standard input: one JSON per line, {"content": base64, "keys": {name: text}};
// standard output: one JSON per line, [{"domain", "result", "comment"}, ...], one entry for each signature.
import { createInterface } from "node:readline";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";

for await (const line of createInterface({ input: process.stdin })) {
  const { content, keys } = JSON.parse(line);
  const resolver = async (name, type) => {
    const text = type === "TXT" ? keys[name.replace(/\.$/, "")] : undefined;
    if (text !== undefined) return [[text]];
    throw Object.assign(new Error("no such record"), { code: "ENOTFOUND" });
  };
  const { results } = await dkimVerify(Buffer.from(content, "base64"), { resolver });
  const said = results.map(({ signingDomain, status }) => ({
    domain: signingDomain,
    result: status.result,
    comment: status.comment || "",
  }));
  console.log(JSON.stringify(said));
}
