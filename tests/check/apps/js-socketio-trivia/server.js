const http = require('http');
const express = require('express');
const { Server } = require('socket.io');
const { askHost, nextQuestion } = require('./host');

const app = express();
app.use(express.static('public'));
const server = http.createServer(app);
const io = new Server(server, { cors: { origin: '*' } });

const chatLog = [];

io.on('connection', (socket) => {
  socket.on('join', (room) => {
    socket.join(String(room).slice(0, 20));
  });

  socket.on('ask-host', async (text) => {
    chatLog.push({ role: 'user', content: text });
    const reply = await askHost(chatLog);
    chatLog.push({ role: 'assistant', content: reply });
    io.emit('host', reply);
  });

  socket.on('score', (points) => {
    socket.broadcast.emit('score', Number(points) || 0);
  });
});

// one question a minute for everybody
setInterval(async () => {
  if (io.engine.clientsCount === 0) return;
  io.emit('question', await nextQuestion());
}, 60_000);

server.listen(process.env.PORT || 3000);
