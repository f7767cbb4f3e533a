export const config = {
  port: Number(process.env.PORT ?? 4000),
  mongoUrl: process.env.MONGO_URL ?? 'mongodb://localhost:27017/crm',
  jwtSecret: process.env.JWT_SECRET || 'changeme',
  backupUrl: 'mongodb+srv://crm:{{password}}@cluster0.ab1cd.mongodb.net/crm',
};
