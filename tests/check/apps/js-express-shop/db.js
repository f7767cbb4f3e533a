const mysql = require('mysql2/promise');

module.exports = mysql.createPool({
  host: process.env.DB_HOST || '127.0.0.1',
  user: 'shop',
  password: process.env.DB_PASSWORD,
  database: 'shop',
});
