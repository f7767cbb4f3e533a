// The route as tutorials have it: whoever finds the address spends your money.
//   npm install express openai && OPENAI_API_KEY=... node before.mjs
import express from "express";
import OpenAI from "openai";

const client = new OpenAI();
const app = express();
app.use(express.json());

app.post("/ask", async (request, response) => {
  const answer = await client.chat.completions.create({
    model: process.env.MODEL ?? "gpt-5-mini",
    messages: [{ role: "user", content: request.body.text }],
  });
  response.json({ answer: answer.choices[0].message.content });
});

const server = app.listen(process.env.PORT ?? 3000, "127.0.0.1", () => console.log(server.address().port));
