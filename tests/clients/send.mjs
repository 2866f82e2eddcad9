// Sends one mail with nodemailer. Standard input: {"transport": {...}, "mail": {...}}; standard output: what the server said.
// A refusal is printed as {"code": 550, "response": "550 5.7.1 ...", "command": "DATA"} with exit code 1.
import nodemailer from "nodemailer";

let text = "";
for await (const chunk of process.stdin) text += chunk;
const { transport, mail } = JSON.parse(text);
const mails = Array.isArray(mail) ? mail : [mail];
const sender = nodemailer.createTransport(transport);
try {
  const answers = [];
  for (const one of mails) {
    const { response, accepted, rejected } = await sender.sendMail(one);
    answers.push({ response, accepted, rejected });
  }
  console.log(JSON.stringify(answers));
} catch (error) {
  console.log(JSON.stringify({ code: error.responseCode, response: error.response, command: error.command }));
  process.exitCode = 1;
} finally {
  sender.close();
}
