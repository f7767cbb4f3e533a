const chat = document.getElementById('chat');
const input = document.getElementById('message');

function show(who, text) {
  const line = document.createElement('p');
  line.className = who;
  if (who === 'bot') {
    line.innerHTML = text.replace(/\n/g, '<br>');
  } else {
    line.textContent = text;
  }
  chat.appendChild(line);
}

input.addEventListener('change', async () => {
  const message = input.value;
  input.value = '';
  show('me', message);
  const response = await fetch('/api/chat', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ message }),
  });
  const data = await response.json();
  show('bot', data.reply);
});
