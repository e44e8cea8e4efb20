const _: () = {
    use ::snapshot_core::__private as __s;
    use __s::{Losing as _, NoFit as _, NotConverted as _};
    type __Type_stage = DiskStage;
    type __Type_pods = Vec<PodName>;
    type __Type_mount = Child<Mount>;
    type __M = pb::DiskSnapshot;
    const __FIELDS: &<__M as __s::Schema>::Fields = &<__M as __s::Schema>::FIELDS;
    const __DESCRIPTOR: &__s::MessageDescriptor = <__M as __s::Schema>::DESCRIPTOR;
    const __VERSION: __s::Field<__s::kind::Singular<__s::kind::Uint32>> = __s::version_field(
        __DESCRIPTOR,
    );
    const __MAPPED: &[__s::Numbered] = {
        let __all = __FIELDS;
        &[
            (*__all).name.numbered,
            (*__all).stage.numbered,
            (*__all).sector_size.numbered,
            (*__all).pods.numbered,
            (*__all).mount.numbered,
        ]
    };
    const _: () = __s::assert_all_mapped(
        "Disk",
        __DESCRIPTOR,
        __VERSION.number(),
        __MAPPED,
        &[],
    );
    const _: () = __s::assert_not_transient(
        "Attached",
        <__Type_stage as __s::Stage>::VARIANTS,
        <__Type_stage>::Attached as __s::i32,
    );
    #[inline]
    fn __answers_0() -> impl __s::Plan<(String, __Type_stage)> {
        let __all = __FIELDS;
        (
            __s::port::<_, String>(&(*__all).name).fits(),
            __s::port::<_, __Type_stage>(&(*__all).stage).fits(),
        )
    }
    const _: () = {
        let __check = __s::check(__MAPPED, 0usize, &__answers_0);
        let __check = __check.plain("String");
        let __check = __check.fits("DiskStage");
    };
    #[inline]
    fn __answers_1() -> impl __s::Answer {
        (__s::port::<_, u32>(&(*__FIELDS).sector_size).fits_since(),)
    }
    const _: () = {
        let __check = __s::check(__MAPPED, 2usize, &__answers_1);
        let __check = __check.plain("u32");
    };
    #[inline]
    fn __answers_2() -> impl __s::Plan<(__Type_pods, __Type_mount)> {
        let __all = __FIELDS;
        (
            __s::port::<_, __Type_pods>(&(*__all).pods).fits(),
            __s::port::<_, __Type_mount>(&(*__all).mount).fits(),
        )
    }
    const _: () = {
        let __check = __s::check(__MAPPED, 3usize, &__answers_2);
        let __check = __check.fits("Vec<PodName>");
        let __check = __check.fits("Child<Mount>");
    };
    #[automatically_derived]
    impl __s::State for Disk {
        type Message = pb::DiskSnapshot;
        const NOTES: &'static __s::StateNotes = &__s::StateNotes {
            message: __DESCRIPTOR,
            fields: &[
                __s::FieldNotes::of(&(*__FIELDS).name).defines("disk"),
                __s::FieldNotes::of(&(*__FIELDS).sector_size).since(3u32),
                __s::FieldNotes::of(&(*__FIELDS).pods).refers("pod"),
            ],
            types: &[
                __s::types(&__answers_0),
                __s::types(&__answers_1),
                __s::types(&__answers_2),
            ],
            meanings: __s::StateMeanings {
                mapped: __MAPPED,
                notes: &[
                    __s::FieldMeaning::of(&(*__FIELDS).sector_size)
                        .default(|| __s::default_note(|__put_one| {
                            let __default = {
                                let __value: u32 = 512;
                                __value
                            };
                            __s::Planned::put(
                                __s::port::<_, u32>(&(*__FIELDS).sector_size).fits_since(),
                                &__default,
                                __put_one,
                            )
                        })),
                ],
                ignored: &[],
                discarded: &[],
            },
        };
        const IS_PAYLOAD: __s::bool = true;
        fn put_nested(&self, __w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
            __s::put_payload(self, __w)
        }
        #[cfg_attr(not(debug_assertions), inline(always))]
        fn put_fields(&self, __w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
            let __version = __w.version();
            if __version == 1u32 {
                return __s::put_older::<
                    Self,
                    __Version_1,
                >(
                    self,
                    __VERSION_1,
                    (1u32, 2u32),
                    __w,
                    |__newer| {
                        let __newer = __s::downgraded::<
                            __Version_1,
                            _,
                        >(to_v1(__newer), 1u32)?;
                        __s::Ok(__newer)
                    },
                );
            }
            let mut __put = __s::Putting::<
                {
                    __s::marks(
                        __VERSION.number(),
                        __MAPPED,
                        &[
                            __s::fit(&__answers_0),
                            __s::fit(&__answers_1),
                            __s::fit(&__answers_2),
                        ],
                    )
                },
            >::new(__w);
            let mut __older = __s::Older::new(__version);
            __older
                .check(
                    &(*__FIELDS).sector_size,
                    3u32,
                    |__put_one| __s::Planned::put(
                        __s::port::<_, u32>(&(*__FIELDS).sector_size).fits_since(),
                        &self.sector_size,
                        __put_one,
                    ),
                    |__put_one| {
                        let __default = {
                            let __value: u32 = 512;
                            __value
                        };
                        __s::Planned::put(
                            __s::port::<_, u32>(&(*__FIELDS).sector_size).fits_since(),
                            &__default,
                            __put_one,
                        )
                    },
                );
            __put.check(0, __older.end());
            __s::Plan::put(__answers_2(), (&self.pods, &self.mount), &mut __put);
            if __version >= 3u32 {
                __s::Planned::put(
                    __s::port::<_, u32>(&(*__FIELDS).sector_size).fits_since(),
                    &self.sector_size,
                    &mut __put,
                );
            }
            __s::Plan::put(__answers_0(), (&self.name, &self.stage), &mut __put);
            __s::Planned::<
                __s::u32,
            >::put(
                __s::port::<_, __s::u32>(&__VERSION),
                &__s::earlier(__version, 3u32),
                &mut __put,
            );
            __put.finish()
        }
        #[inline]
        fn fields_size(&self) -> __s::usize {
            __s::sum(
                &[
                    __s::Planned::<
                        __s::u32,
                    >::size(__s::port::<_, __s::u32>(&__VERSION), &3u32),
                    __s::Plan::size(__answers_0(), (&self.name, &self.stage)),
                    __s::Planned::<
                        u32,
                    >::size(
                        __s::port::<_, u32>(&(*__FIELDS).sector_size).fits_since(),
                        &self.sector_size,
                    ),
                    __s::Plan::size(__answers_2(), (&self.pods, &self.mount)),
                ],
            )
        }
        #[cfg_attr(not(debug_assertions), inline(always))]
        fn take_fields_into(
            __slot: &mut __s::Option<Self>,
            __r: &mut __s::Reader<'_>,
        ) -> __s::Result<(), __s::Error> {
            let __version = __s::check_version::<Self>(__r)?;
            if __version == 1u32 {
                *__slot = __s::Some(
                    __s::upgrade::<
                        __Version_1,
                        Disk,
                        _,
                        _,
                        2u32,
                    >(__VERSION_1, __r, |__old: __Version_1| from_v1(__old))?,
                );
                return __s::Ok(());
            }
            let mut __take = __s::Taking::begun(__r);
            let mut __version = __s::default();
            __s::Planned::<
                __s::u32,
            >::open(
                __s::port::<_, __s::u32>(&__VERSION),
                &mut __version,
                &mut __take,
                __r,
            );
            let mut __fields_0 = __s::default();
            __s::Plan::open(__answers_0(), &mut __fields_0, &mut __take, __r);
            let mut __field_1 = __s::default();
            if __r.version() >= 3u32 {
                __s::Planned::<
                    u32,
                >::open(
                    __s::port::<_, u32>(&(*__FIELDS).sector_size).fits_since(),
                    &mut __field_1,
                    &mut __take,
                    __r,
                );
            }
            let mut __fields_2 = __s::default();
            __s::Plan::open(__answers_2(), &mut __fields_2, &mut __take, __r);
            while let __s::Some(__tag) = __take.next(__r) {
                if !(false
                    || __s::Planned::<
                        __s::u32,
                    >::offer(
                        __s::port::<_, __s::u32>(&__VERSION),
                        &mut __version,
                        &mut __take,
                        __tag,
                        __r,
                    )
                    || __s::Plan::offer(
                        __answers_0(),
                        &mut __fields_0,
                        &mut __take,
                        __tag,
                        __r,
                    )
                    || __s::Planned::<
                        u32,
                    >::offer_since(
                        __s::port::<_, u32>(&(*__FIELDS).sector_size).fits_since(),
                        3u32,
                        &mut __field_1,
                        &mut __take,
                        __tag,
                        __r,
                    )
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
            let __field_1: __s::Option<u32> = if __r.version() < 3u32 {
                __s::Some({
                    let __value: u32 = 512;
                    __value
                })
            } else {
                __s::Planned::<
                    u32,
                >::finish(
                    __s::port::<_, u32>(&(*__FIELDS).sector_size).fits_since(),
                    __field_1,
                    &mut __take,
                )
            };
            let __fields_2 = __s::Plan::finish(__answers_2(), __fields_2, &mut __take);
            __take.name(&(*__FIELDS).name, &__fields_0.0, __s::name_of);
            if let __s::Err(__error) = __take.end() {
                return __s::Err(__error);
            }
            match (
                __s::Options::all(__fields_0),
                __field_1,
                __s::Options::all(__fields_2),
            ) {
                (__s::Some(__fields_0), __s::Some(__field_1), __s::Some(__fields_2)) => {
                    let __state = Disk {
                        name: __fields_0.0,
                        stage: __fields_0.1,
                        sector_size: __field_1,
                        pods: __fields_2.0,
                        mount: __fields_2.1,
                    };
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
            const _: () = __s::assert_nameable(&(*__FIELDS).name);
            __s::defines::<_, String>(&(*__FIELDS).name, "disk", &self.name, __visit);
            if let __s::Err(__error) = __s::Planned::<
                __Type_stage,
            >::visit(
                __s::port::<_, __Type_stage>(&(*__FIELDS).stage).fits(),
                &self.stage,
                __visit,
            ) {
                return __s::Err(__error);
            }
            const _: () = __s::assert_nameable(&(*__FIELDS).pods);
            __s::refers::<_, __Type_pods>(&(*__FIELDS).pods, "pod", &self.pods, __visit);
            if let __s::Err(__error) = __s::Planned::<
                __Type_pods,
            >::visit(
                __s::port::<_, __Type_pods>(&(*__FIELDS).pods).fits(),
                &self.pods,
                __visit,
            ) {
                return __s::Err(__error);
            }
            if let __s::Err(__error) = __s::Planned::<
                __Type_mount,
            >::visit(
                __s::port::<_, __Type_mount>(&(*__FIELDS).mount).fits(),
                &self.mount,
                __visit,
            ) {
                return __s::Err(__error);
            }
            __s::Ok(())
        }
    }
    #[automatically_derived]
    impl __s::Keep for Disk {
        fn keep_from(&mut self, __earlier: &mut Self) {
            use __s::{Keeps as _, KeepsNothing as _};
            __s::Later(&mut self.pods, &mut __earlier.pods).keep();
            __s::Later(&mut self.mount, &mut __earlier.mount).keep();
        }
    }
    #[automatically_derived]
    impl __s::Sealed for Disk {}
    #[automatically_derived]
    impl __s::Single for Disk {}
    #[automatically_derived]
    impl __s::Wire<__s::kind::Message<__M>> for Disk {
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
    impl __s::From<&Disk> for pb::DiskSnapshot {
        #[inline]
        #[track_caller]
        fn from(__state: &Disk) -> Self {
            __s::message_of(__state)
        }
    }
    #[automatically_derived]
    impl __s::TryFrom<pb::DiskSnapshot> for Disk {
        type Error = __s::Error;
        #[inline]
        fn try_from(__message: pb::DiskSnapshot) -> __s::Result<Self, __s::Error> {
            __s::State::from_message(&__message)
        }
    }
    const __PARTS: [&__s::str; 4] = __s::type_url_parts(
        <__M as __s::Named>::PACKAGE,
        <__M as __s::Named>::NAME,
    );
    const __LENGTH: __s::usize = __s::length(&__PARTS);
    const __BYTES: [__s::u8; __LENGTH] = __s::join(&__PARTS);
    const __TYPE_URL: &__s::str = __s::text(&__BYTES);
    const __MESSAGE_NAME: &__s::str = __s::after_slash(__TYPE_URL);
    type __Version_1 = pb::v1::Disk;
    const __VERSION_1: &__s::MessageDescriptor = <__Version_1 as __s::Schema>::DESCRIPTOR;
    const _: () = __s::assert_older_version_field(__VERSION_1, &__VERSION);
    #[automatically_derived]
    impl __s::Upgraded<Disk, 2u32> for pb::DiskSnapshot {
        fn finish(self, __r: &mut __s::Reader<'_>) -> __s::Result<Disk, __s::Error> {
            __s::read_upgraded(self, 2u32, __r)
        }
    }
    #[automatically_derived]
    impl __s::Upgraded<Disk, 2u32> for Disk {
        fn finish(self, __r: &mut __s::Reader<'_>) -> __s::Result<Disk, __s::Error> {
            __s::check_upgraded(self, __r)
        }
    }
    #[automatically_derived]
    impl __s::Payload for Disk {
        const TYPE_URL: &'static __s::str = __TYPE_URL;
        const MESSAGE_NAME: &'static __s::str = __MESSAGE_NAME;
        const VERSION: __s::u32 = 3u32;
        const OLDER: &'static [__s::OlderVersion] = &[
            __s::OlderVersion::new(1u32, __s::Some(__VERSION_1), true),
            __s::OlderVersion::new(2u32, __s::None, true),
        ];
        const VERSION_FIELD: __s::u32 = __VERSION.number();
        const ID_FIELD: __s::Option<__s::u32> = __s::Some(__FIELDS.name.number());
        const STAGE_FIELD: __s::Option<__s::u32> = __s::Some(__FIELDS.stage.number());
        const STAGE_RULES: __s::Option<&'static __s::StageRules> = __s::Some(
            &__s::StageRules {
                variants: <__Type_stage as __s::Stage>::VARIANTS,
                save_from: &[<__Type_stage>::Attached as __s::i32],
                freeze_to: __s::Some(<__Type_stage>::Migrating as __s::i32),
                import_as: __s::None,
                abort_to: __s::Some(<__Type_stage>::Ejected as __s::i32),
                carried: true,
            },
        );
        const AFTER: &'static [__s::TypeRef] = &[__s::TypeRef::of::<Vm>()];
        const IS_LEAF: __s::bool = __s::are_leaves(
            &[__s::fit(&__answers_0), __s::fit(&__answers_1), __s::fit(&__answers_2)],
        );
        fn stage_number(&self) -> __s::Option<__s::i32> {
            __s::Some(<__Type_stage as __s::Stage>::number(&self.stage))
        }
        fn set_stage_number(
            &mut self,
            __number: __s::i32,
        ) -> __s::Result<(), __s::Error> {
            self.stage = __s::stage_of(
                <__Type_stage as __s::Stage>::from_number(__number),
                __number,
            )?;
            __s::Ok(())
        }
        fn own_name(&self) -> __s::Option<__s::String> {
            __s::Some(__s::name_of(&self.name))
        }
    }
    #[automatically_derived]
    impl __s::Wire<__s::kind::Any> for Disk {
        fn put(&self, __w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
            __s::put_any(self, __w)
        }
        fn size(&self) -> __s::usize {
            __s::any_size(self)
        }
        fn take(__r: &mut __s::Reader<'_>) -> __s::Result<Self, __s::Error> {
            __s::take_any(__r)
        }
        fn is_default(&self) -> __s::bool {
            false
        }
        fn visit(&self, __visit: &mut __s::Visit<'_>) -> __s::Result<(), __s::Error> {
            __s::visit_payload(self, __visit)
        }
    }
    __s::inventory::submit! {
        __s::registration:: < DiskController, Disk > ()
    }
};
