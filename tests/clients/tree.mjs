// Reads messages (one base64 line each), writes the tree that postal-mime sees (one JSON line each).
import { createInterface } from "node:readline";
import PostalMime from "postal-mime";

const octets = (content) => Buffer.from(content ?? new ArrayBuffer(0));

async function tree(node) {
  const type = node.contentType.parsed.value;
  if (node.contentType.multipart) return { type, children: await Promise.all(node.childNodes.map(tree)) };
  const encoding = node.contentTransferEncoding.encoding;
  const content = octets(node.content);
  if (type === "message/rfc822" && !["base64", "quoted-printable"].includes(encoding)) {
    return { type, children: [await read(content)] };
  }
  return { type, content: type === "message/rfc822" ? "" : content.toString("base64"), children: null };
}

async function read(message) {
  const parser = new PostalMime();
  await parser.parse(message);
  return tree(parser.root);
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = await read(Buffer.from(line, "base64"));
  } catch (error) {
    answer = { error: String(error.message) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
