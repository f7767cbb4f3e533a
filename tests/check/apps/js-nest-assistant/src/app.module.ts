import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AssistantController } from './assistant/assistant.controller';
import { AssistantService } from './assistant/assistant.service';
import { Employee } from './people/employee.entity';
import { PeopleController } from './people/people.controller';
import { PublicController } from './public/public.controller';

@Module({
  imports: [
    JwtModule.register({ secret: process.env.JWT_SECRET, signOptions: { expiresIn: '1h' } }),
    TypeOrmModule.forRoot({ type: 'postgres', url: process.env.DATABASE_URL, entities: [Employee] }),
    TypeOrmModule.forFeature([Employee]),
  ],
  controllers: [AssistantController, PeopleController, PublicController],
  providers: [AssistantService],
})
export class AppModule {}
