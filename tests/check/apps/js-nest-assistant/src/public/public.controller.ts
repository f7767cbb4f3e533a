import { Body, Controller, Get, Post } from '@nestjs/common';
import { AssistantService } from '../assistant/assistant.service';

@Controller('public')
export class PublicController {
  constructor(private readonly assistant: AssistantService) {}

  @Get('health')
  health() {
    return { ok: true };
  }

  @Post('job-ad')
  async jobAd(@Body() body: any) {
    return { ad: await this.assistant.once(`Write a job ad for: ${body.title}`) };
  }
}
