const _: () = {
    use ::snapshot_core::__private as __s;
    use __s::{Losing as _, NoFit as _, NotConverted as _};
    type __Type_timeout = Duration;
    type __Type_disk = Disk;
    type __M = pb::Reservation;
    const __FIELDS: &<__M as __s::Schema>::Fields = &<__M as __s::Schema>::FIELDS;
    const __DESCRIPTOR: &__s::MessageDescriptor = <__M as __s::Schema>::DESCRIPTOR;
    const __MAPPED: &[__s::Numbered] = {
        let __all = __FIELDS;
        &[
            (*__all).slot.numbered,
            (*__all).display_name.numbered,
            (*__all).timeout.numbered,
            (*__all).disk.numbered,
        ]
    };
    const _: () = __s::assert_all_mapped(
        "Reservation",
        __DESCRIPTOR,
        0,
        __MAPPED,
        &[(*__FIELDS).reserved.number()],
    );
    const _: () = {
        use __s::NoStage as _;
        __s::assert_no_stage(__s::Probe::<Option<u64>>::IS_STAGE, "handle")
    };
    #[inline]
    fn __answers_0() -> impl __s::Plan<(u8, Option<String>)> {
        let __all = __FIELDS;
        (
            __s::port::<_, u8>(&(*__all).slot).fits(),
            __s::port::<_, Option<String>>(&(*__all).display_name).fits(),
        )
    }
    const _: () = {
        let __check = __s::check(__MAPPED, 0usize, &__answers_0);
        let __check = __check.plain("u8");
        let __check = __check.plain("Option<String>");
    };
    #[inline]
    fn __answers_1() -> impl __s::Answer {
        (
            __s::adapter::<
                _,
                _,
                __Type_timeout,
                _,
                _,
            >(&(*__FIELDS).timeout, codec::millis::from_wire)
                .fits(),
        )
    }
    const _: () = {
        let __check = __s::check(__MAPPED, 2usize, &__answers_1);
        let __check = __check.adapter("codec::millis");
    };
    #[inline]
    fn __answers_2() -> impl __s::Plan<(__Type_disk,)> {
        let __all = __FIELDS;
        (__s::port::<_, __Type_disk>(&(*__all).disk).fits(),)
    }
    const _: () = {
        let __check = __s::check(__MAPPED, 3usize, &__answers_2);
        let __check = __check.fits("Disk");
    };
    #[automatically_derived]
    impl __s::State for Reservation {
        type Message = pb::Reservation;
        const NOTES: &'static __s::StateNotes = &__s::StateNotes {
            message: __DESCRIPTOR,
            fields: &[],
            types: &[
                __s::types(&__answers_0),
                __s::types(&__answers_1),
                __s::types(&__answers_2),
            ],
            meanings: __s::StateMeanings {
                mapped: __MAPPED,
                notes: &[
                    __s::FieldMeaning::of(&(*__FIELDS).slot)
                        .range(|| __s::range(
                            __s::NoteRange::<u8>(__s::PhantomData),
                            0..64,
                            "0..64",
                        )),
                    __s::FieldMeaning::of(&(*__FIELDS).display_name).max(|| 16),
                ],
                ignored: &[(*__FIELDS).reserved.number()],
                discarded: &[],
            },
        };
        #[cfg_attr(not(debug_assertions), inline(always))]
        fn put_fields(&self, __w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
            let mut __put = __s::Putting::<
                {
                    __s::marks(
                        0,
                        __MAPPED,
                        &[
                            __s::fit(&__answers_0),
                            __s::fit(&__answers_1),
                            __s::fit(&__answers_2),
                        ],
                    )
                },
            >::new(__w);
            __put
                .check(
                    __FIELDS.slot.number(),
                    __s::range(
                        __s::CheckRange(&(*__FIELDS).slot, __s::Some(&self.slot)),
                        0..64,
                        "0..64",
                    ),
                );
            __put
                .check(
                    __FIELDS.display_name.number(),
                    __s::max::<
                        _,
                        Option<String>,
                    >(&(*__FIELDS).display_name, __s::Some(&self.name), 16),
                );
            __s::Plan::put(__answers_2(), (&self.disk,), &mut __put);
            __s::adapter::<
                _,
                _,
                __Type_timeout,
                _,
                _,
            >(&(*__FIELDS).timeout, codec::millis::from_wire)
                .fits()
                .put_converted(&mut __put, codec::millis::to_wire(&self.timeout));
            __s::Plan::put(__answers_0(), (&self.slot, &self.name), &mut __put);
            __put.finish()
        }
        #[inline]
        fn fields_size(&self) -> __s::usize {
            __s::sum(
                &[
                    __s::Plan::size(__answers_0(), (&self.slot, &self.name)),
                    __s::Plan::size(__answers_2(), (&self.disk,)),
                ],
            )
        }
        #[cfg_attr(not(debug_assertions), inline(always))]
        fn take_fields_into(
            __slot: &mut __s::Option<Self>,
            __r: &mut __s::Reader<'_>,
        ) -> __s::Result<(), __s::Error> {
            let mut __take = __s::Taking::begun(__r);
            let mut __fields_0 = __s::default();
            __s::Plan::open(__answers_0(), &mut __fields_0, &mut __take, __r);
            let mut __field_1 = __s::adapter::<
                _,
                _,
                __Type_timeout,
                _,
                _,
            >(&(*__FIELDS).timeout, codec::millis::from_wire)
                .fits()
                .open_adapter(&mut __take, __r);
            let mut __fields_2 = __s::default();
            __s::Plan::open(__answers_2(), &mut __fields_2, &mut __take, __r);
            while let __s::Some(__tag) = __take.next(__r) {
                if !(false
                    || __s::Plan::offer(
                        __answers_0(),
                        &mut __fields_0,
                        &mut __take,
                        __tag,
                        __r,
                    ) || __field_1.offer(&(*__FIELDS).timeout, &mut __take, __tag, __r)
                    || __s::Plan::offer(
                        __answers_2(),
                        &mut __fields_2,
                        &mut __take,
                        __tag,
                        __r,
                    ))
                {
                    __take.unmapped(__DESCRIPTOR, &[], __tag, __r);
                }
            }
            let __fields_0 = __s::Plan::finish(__answers_0(), __fields_0, &mut __take);
            let __field_1: __s::Option<__Type_timeout> = __field_1
                .finish(&(*__FIELDS).timeout, &mut __take, __r);
            let __fields_2 = __s::Plan::finish(__answers_2(), __fields_2, &mut __take);
            __take
                .check(
                    &(*__FIELDS).slot,
                    __s::range(
                        __s::CheckRange(
                            &(*__FIELDS).slot,
                            __take.known(&(*__FIELDS).slot, &__fields_0.0),
                        ),
                        0..64,
                        "0..64",
                    ),
                    __r,
                );
            __take
                .check(
                    &(*__FIELDS).display_name,
                    __s::max::<
                        _,
                        Option<String>,
                    >(
                        &(*__FIELDS).display_name,
                        __take.known(&(*__FIELDS).display_name, &__fields_0.1),
                        16,
                    ),
                    __r,
                );
            if let __s::Err(__error) = __take.end() {
                return __s::Err(__error);
            }
            match (
                __s::Options::all(__fields_0),
                __field_1,
                __s::Options::all(__fields_2),
            ) {
                (__s::Some(__fields_0), __s::Some(__field_1), __s::Some(__fields_2)) => {
                    let __state = Reservation {
                        slot: __fields_0.0,
                        name: __fields_0.1,
                        timeout: __field_1,
                        disk: __fields_2.0,
                        handle: __s::default::<Option<u64>>(),
                    };
                    __s::validate(is_valid(&__state), __s::unnamed)?;
                    *__slot = __s::Some(__state);
                    __s::Ok(())
                }
                _ => __s::Err(__s::lost_error()),
            }
        }
        fn visit_fields(
            &self,
            __visit: &mut __s::Visit<'_>,
        ) -> __s::Result<(), __s::Error> {
            if let __s::Err(__error) = __s::adapter::<
                _,
                _,
                __Type_timeout,
                _,
                _,
            >(&(*__FIELDS).timeout, codec::millis::from_wire)
                .fits()
                .visit_converted(
                    || __s::Converted(codec::millis::to_wire(&self.timeout)).value(),
                    &self.timeout,
                    |__a, __b| {
                        use __s::NotCompared as _;
                        __s::Twins(__a, __b).are_equal()
                    },
                    __visit,
                )
            {
                return __s::Err(__error);
            }
            if let __s::Err(__error) = __s::Planned::<
                __Type_disk,
            >::visit(
                __s::port::<_, __Type_disk>(&(*__FIELDS).disk).fits(),
                &self.disk,
                __visit,
            ) {
                return __s::Err(__error);
            }
            __s::Ok(())
        }
    }
    #[automatically_derived]
    impl __s::Keep for Reservation {
        fn keep_from(&mut self, __earlier: &mut Self) {
            use __s::{Keeps as _, KeepsNothing as _};
            __s::Later(&mut self.disk, &mut __earlier.disk).keep();
            __s::swap(&mut self.handle, &mut __earlier.handle);
        }
    }
    #[automatically_derived]
    impl __s::Sealed for Reservation {}
    #[automatically_derived]
    impl __s::Single for Reservation {}
    #[automatically_derived]
    impl __s::Wire<__s::kind::Message<__M>> for Reservation {
        const INSIDE: __s::StatesInside = __s::StatesInside::State(
            __s::notes_on::<Self>,
        );
        const IN_PLACE: __s::bool = true;
        #[inline]
        fn put(&self, __w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
            __s::put_message(self, __w)
        }
        #[inline]
        fn put_tagged(
            &self,
            __number: __s::u32,
            __w: &mut __s::Writer,
        ) -> __s::Result<(), __s::Error> {
            __s::put_message_tagged(self, __number, __w)
        }
        #[inline]
        fn size(&self) -> __s::usize {
            __s::message_size(self)
        }
        #[inline]
        fn take(__r: &mut __s::Reader<'_>) -> __s::Result<Self, __s::Error> {
            __s::take_message(__r)
        }
        #[inline]
        fn take_into(
            __slot: &mut __s::Option<Self>,
            __r: &mut __s::Reader<'_>,
        ) -> __s::Result<(), __s::Error> {
            __s::take_message_into(__slot, __r)
        }
        #[inline]
        fn is_default(&self) -> __s::bool {
            false
        }
        fn visit(&self, __visit: &mut __s::Visit<'_>) -> __s::Result<(), __s::Error> {
            __s::visit_message(self, __visit)
        }
    }
    /// The state as its message.
    ///
    /// # Panics
    ///
    /// If the state cannot be saved; `State::to_message` returns the error instead.
    #[automatically_derived]
    impl __s::From<&Reservation> for pb::Reservation {
        #[inline]
        #[track_caller]
        fn from(__state: &Reservation) -> Self {
            __s::message_of(__state)
        }
    }
    #[automatically_derived]
    impl __s::TryFrom<pb::Reservation> for Reservation {
        type Error = __s::Error;
        #[inline]
        fn try_from(__message: pb::Reservation) -> __s::Result<Self, __s::Error> {
            __s::State::from_message(&__message)
        }
    }
};
