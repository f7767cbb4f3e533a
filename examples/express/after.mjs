// The same route behind Seawall; what changed is marked.
//   seawall serve
//   OPENAI_BASE_URL=http://127.0.0.1:8787/v1 OPENAI_API_KEY=sw-... node after.mjs
import express from "express";
import OpenAI from "openai";

const client = new OpenAI({ maxRetries: 0 }); // a person waits: tell at once
const app = express();
app.use(express.json());

app.post("/ask", async (request, response) => {
  const user = request.get("x-user"); // in your app: who is logged in
  try {
    const answer = await client.chat.completions.create(
      {
        model: process.env.MODEL ?? "gpt-5-mini",
        messages: [{ role: "user", content: request.body.text }],
        max_tokens: 500, // changed: how long an answer may be
      },
      { headers: { "seawall-user": user } }, // changed: for whom
    );
    response.json({ answer: answer.choices[0].message.content });
  } catch (error) {
    // changed: limits, quotas and budgets explain themselves
    if (!(error instanceof OpenAI.APIError) || !error.status) throw error;
    const wait = error.headers?.get("retry-after");
    if (wait) response.set("retry-after", wait);
    response.status(error.status).json({ problem: error.error?.details?.say ?? "Please try again later." });
  }
});

const server = app.listen(process.env.PORT ?? 3000, "127.0.0.1", () => console.log(server.address().port));
