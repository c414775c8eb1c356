import type { Clock } from '../../../kit/clock.ts'
import type { Db } from '../../../kit/db/open.ts'
import { Problem } from '../../../kit/errors.ts'
import type { ImageTables } from '../tables.ts'
import type { Member, MemberStatus } from './image.ts'

/** More than this many projects cannot share one image (Glance's image_member_quota). */
const mostMembers = 128

export type Members = ReturnType<typeof openMembers>

/** Projects an image is shared with, and what they say to it. */
export function openMembers(db: Db<ImageTables>, clock: Clock) {
  const rows = (imageId: string) => db.read.selectFrom('image_member').selectAll().where('image_id', '=', imageId)
  const find = async (imageId: string, memberId: string): Promise<Member | undefined> => {
    const row = await rows(imageId).where('member_id', '=', memberId).executeTakeFirst()
    return row && member(row)
  }
  return {
    find,
    list: async (imageId: string): Promise<Member[]> => (await rows(imageId).orderBy('created_at').execute()).map(member),

    async add(imageId: string, memberId: string): Promise<Member> {
      const now = clock.now()
      await db.transaction(async (tx) => {
        const there = await tx.selectFrom('image_member').select('member_id').where('image_id', '=', imageId).execute()
        if (there.length >= mostMembers)
          throw new Problem(
            'too-large',
            `The limit has been exceeded on the number of allowed image members for this image. Attempted: ${there.length + 1}, Maximum: ${mostMembers}`,
          )
        const made = await tx
          .insertInto('image_member')
          .values({ image_id: imageId, member_id: memberId, status: 'pending', created_at: now, updated_at: now })
          .onConflict((conflict) => conflict.doNothing())
          .returning('member_id')
          .executeTakeFirst()
        if (!made) throw new Problem('conflict', `Project ${memberId} is already a member of image ${imageId}`)
      })
      return (await find(imageId, memberId))!
    },

    async answer(imageId: string, memberId: string, status: MemberStatus): Promise<Member> {
      await db.transaction((tx) =>
        tx
          .updateTable('image_member')
          .set({ status, updated_at: clock.now() })
          .where('image_id', '=', imageId)
          .where('member_id', '=', memberId)
          .execute(),
      )
      return (await find(imageId, memberId))!
    },

    async remove(imageId: string, memberId: string): Promise<void> {
      await db.transaction((tx) =>
        tx.deleteFrom('image_member').where('image_id', '=', imageId).where('member_id', '=', memberId).execute(),
      )
    },
  }
}

const member = (row: ImageTables['image_member']): Member => ({
  imageId: row.image_id,
  memberId: row.member_id,
  status: row.status as MemberStatus,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})
