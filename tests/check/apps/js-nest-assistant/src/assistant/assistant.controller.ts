import { Body, Controller, Post, Res, UseGuards } from '@nestjs/common';
import { IsString, MaxLength } from 'class-validator';
import { Response } from 'express';
import { JwtGuard } from '../auth/jwt.guard';
import { AssistantService } from './assistant.service';

class Question {
  @IsString()
  @MaxLength(1000)
  text: string;
}

@Controller('assistant')
@UseGuards(JwtGuard)
export class AssistantController {
  constructor(private readonly assistant: AssistantService) {}

  @Post()
  async ask(@Body() question: Question, @Res() res: Response) {
    for await (const piece of this.assistant.stream(question.text)) res.write(piece);
    res.end();
  }

  @Post('rewrite')
  async rewrite(@Body() question: Question) {
    return { text: await this.assistant.once(`Rewrite politely: ${question.text}`) };
  }
}
