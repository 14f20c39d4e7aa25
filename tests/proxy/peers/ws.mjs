// The `ws` package as a real peer. `server CERT KEY CA` echoes over mutual TLS and prints its port; `client URL TOKEN`
// does what its standard input says, a JSON line each, and prints what happens, a JSON line each.
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { WebSocket, WebSocketServer } from 'ws';

const say = event => process.stdout.write(`${JSON.stringify(event)}\n`);

function tell(socket) {
  socket.on('message', (data, binary) => {
    say({ event: 'message', binary, size: data.length, text: binary ? null : data.toString('utf8', 0, 200) });
  });
  socket.on('ping', data => say({ event: 'ping', text: data.toString() }));
  socket.on('pong', data => say({ event: 'pong', text: data.toString() }));
  socket.on('close', (code, reason) => say({ event: 'close', code, text: reason.toString() }));
  socket.on('error', error => say({ event: 'error', text: error.message }));
}

function serve(cert, key, ca) {
  const files = { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(ca) };
  const server = createServer({ ...files, requestCert: true, rejectUnauthorized: true });
  const sockets = new WebSocketServer({ server, perMessageDeflate: { threshold: 16 }, maxPayload: 1 << 28 });
  sockets.on('connection', socket => {
    tell(socket);
    socket.on('message', (data, binary) => {
      const words = binary ? [] : data.toString('utf8', 0, 100).split(' ');
      if (words[0] === 'close') socket.close(Number(words[1]), words.slice(2).join(' '));
      else if (words[0] === 'ping') socket.ping(words[1]);
      else if (words[0] === 'terminate') socket.terminate();
      else socket.send(data, { binary });
    });
  });
  server.listen(0, '127.0.0.1', () => say({ event: 'listening', port: server.address().port }));
}

function send(socket, command) {
  const actions = {
    text: () => socket.send(command.text),
    binary: () => socket.send(Buffer.alloc(command.size, 'x')),
    fragments: () => {
      for (let left = command.count; left > 0; left--)
        socket.send('part ', { fin: left === 1, compress: false });
    },
    ping: () => socket.ping(command.text),
    close: () => socket.close(command.code, command.text),
    terminate: () => socket.terminate(),
  };
  actions[command.do]();
}

function visit(url) {
  const headers = { Authorization: `token ${process.env.PEER_TOKEN}` };
  const socket = new WebSocket(url, ['binary'], { headers, maxPayload: 1 << 28 });
  socket.on('open', () => say({ event: 'open', protocol: socket.protocol, extensions: socket.extensions }));
  tell(socket);
  createInterface({ input: process.stdin }).on('line', line => send(socket, JSON.parse(line)));
  socket.on('close', () => process.stdin.destroy());
}

const [role, ...rest] = process.argv.slice(2);
if (role === 'server') serve(...rest);
else visit(...rest);
