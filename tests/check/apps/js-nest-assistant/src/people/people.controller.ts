import { Controller, Get, Param, ParseIntPipe, Query, UseGuards } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { JwtGuard } from '../auth/jwt.guard';

@UseGuards(JwtGuard)
@Controller('people')
export class PeopleController {
  constructor(@InjectDataSource() private readonly data: DataSource) {}

  @Get()
  search(@Query('name') name: string) {
    return this.data.query(`SELECT id, name FROM employee WHERE name ILIKE '%${name}%'`);
  }

  @Get(':id')
  one(@Param('id', ParseIntPipe) id: number) {
    return this.data.query('SELECT id, name FROM employee WHERE id = $1', [id]);
  }
}
