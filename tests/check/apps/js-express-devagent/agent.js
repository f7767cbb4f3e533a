const { execSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const OpenAI = require('openai');

const openai = new OpenAI();

async function askModel(messages) {
  const response = await openai.chat.completions.create({
    model: 'gpt-4-turbo',
    max_tokens: 1500,
    response_format: { type: 'json_object' },
    messages,
  });
  return JSON.parse(response.choices[0].message.content);
}

async function fixUntilGreen(repo, goal) {
  const messages = [
    { role: 'system', content: 'You fix code. Reply as JSON: {"command": "...", "file": "...", "content": "..."}' },
    { role: 'user', content: goal },
  ];
  const log = [];
  let green = false;
  while (!green) {
    const step = await askModel(messages);
    if (step.file) fs.writeFileSync(path.join('work', repo, step.file), step.content);
    let output;
    try {
      output = execSync(step.command, { cwd: path.join('work', repo) }).toString();
      green = output.includes('passing');
    } catch (error) {
      output = error.message;
    }
    log.push(output);
    messages.push({ role: 'user', content: output.slice(-3000) });
  }
  return log;
}

async function explain(error) {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const { text } = await askModel([{ role: 'user', content: `Explain this error as JSON {"text"}: ${error}` }]);
      return text;
    } catch (failure) {
      await new Promise((resolve) => setTimeout(resolve, 1000 * 2 ** attempt));
    }
  }
  return 'No idea.';
}

module.exports = { fixUntilGreen, explain };
